/*
 * The guest's only heap, see arena.h. Called by the owner of the ledger's lock; it takes no lock
 * itself, and makes no system call where sys__is_forbidden().
 */
#include "base/arena.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/mman.h>
#include <stdint.h>

#define CHUNK_SIZE ((size_t) 64 * 1024)
#define RESERVE_SIZE ((size_t) 512 * 1024)
/* The limit on all mappings: 10,000 live threads at 1 KiB each are 10 MiB. */
#define MAPPED_MOST ((size_t) 64 * 1024 * 1024)
#define SMALLEST_SHIFT 4
#define CLASSES 12 /* 16 bytes to 32 KiB */

/* A block that is free: the link stands in the block itself. */
struct free_piece {
    struct free_piece *next;
};

/* Stands at the start of each mapping: of a chunk, or of a single block above the classes. */
struct chunk {
    struct chunk *next;
    size_t size;
};

static struct {
    struct free_piece *free[CLASSES];
    struct chunk *chunks;
    char *at, *end; /* the unused rest of the newest chunk */
    size_t mapped;  /* bytes, over all mappings */
} arena;

static unsigned class_of(size_t size) {
    unsigned class = 0;

    while (((size_t) 1 << (class + SMALLEST_SHIFT)) < size)
        class ++;
    return class;
}

static struct chunk *map_chunk(size_t size) {
    struct chunk *chunk;
    long at;

    if (arena.mapped + size > MAPPED_MOST || sys__is_forbidden())
        return NULL;
    at = sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (SYS_IS_ERROR(at))
        return NULL;
    chunk = (struct chunk *) at;
    chunk->size = size;
    chunk->next = arena.chunks;
    arena.chunks = chunk;
    arena.mapped += size;
    return chunk;
}

static void *take_large(size_t size) {
    struct chunk *chunk =
        map_chunk((size + sizeof *chunk + NSD_PAGE_SIZE - 1) & ~(NSD_PAGE_SIZE - 1));

    return chunk == NULL ? NULL : (void *) (chunk + 1);
}

static void give_large(void *memory) {
    struct chunk *chunk = (struct chunk *) memory - 1;
    struct chunk **link = &arena.chunks;

    while (*link != NULL && *link != chunk)
        link = &(*link)->next;
    if (*link == NULL)
        return;
    /* Without munmap the block stays mapped and in the list, unused. */
    if (sys__is_forbidden())
        return;
    *link = chunk->next;
    arena.mapped -= chunk->size;
    sys__munmap(chunk, chunk->size);
}

/*
 * What is left of the old chunk is lost. That is less than the block that was asked for: at most
 * 32 KiB, half of a chunk (arena__reserve: at most half of RESERVE_SIZE).
 */
static bool begin_chunk(size_t size) {
    struct chunk *chunk = map_chunk(size);

    if (chunk == NULL)
        return false;
    arena.at = (char *) (chunk + 1);
    arena.end = (char *) chunk + size;
    return true;
}

void arena__reserve(void) {
    if ((size_t) (arena.end - arena.at) < RESERVE_SIZE / 2)
        begin_chunk(RESERVE_SIZE);
}

void *arena__take(size_t size) {
    unsigned class;
    size_t piece;
    char *memory;

    if (size == 0)
        size = 1;
    class = class_of(size);
    if (class >= CLASSES)
        return take_large(size);
    piece = (size_t) 1 << (class + SMALLEST_SHIFT);
    if (arena.free[class] != NULL) {
        struct free_piece *first = arena.free[class];

        arena.free[class] = first->next;
        memory__fill(first, 0, piece);
        return first;
    }
    if ((size_t) (arena.end - arena.at) < piece && !begin_chunk(CHUNK_SIZE))
        return NULL;
    memory = arena.at;
    arena.at += piece;
    return memory;
}

void arena__give(void *memory, size_t size) {
    struct free_piece *piece = memory;
    unsigned class;

    if (memory == NULL)
        return;
    class = class_of(size == 0 ? 1 : size);
    if (class >= CLASSES) {
        give_large(memory);
        return;
    }
    piece->next = arena.free[class];
    arena.free[class] = piece;
}

void arena__reset(void) {
    struct chunk *chunk = arena.chunks;

    while (chunk != NULL) {
        struct chunk *next = chunk->next;

        sys__munmap(chunk, chunk->size);
        chunk = next;
    }
    arena__forget();
}

/*
 * Where mmap is forbidden the new heap is the unused rest of the newest chunk: blocks before `at`
 * may be in use. `at` and `end` are checked because a thread of the parent may have been between
 * the two stores of begin_chunk() at the fork.
 */
void arena__forget(void) {
    char *at = arena.at, *end = arena.end;

    memory__fill(&arena, 0, sizeof arena);
    if (!sys__is_forbidden() || at > end || (size_t) (end - at) > RESERVE_SIZE)
        return;
    memory__fill(at, 0, (size_t) (end - at));
    arena.at = at;
    arena.end = end;
}
