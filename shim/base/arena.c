/*
 * The guest's only heap: chunks from mmap, cut into power-of-two classes with free lists. Called
 * under the ledger's lock alone; a fork child resets it first. Bounded, so that a host which
 * leaks threads gets lost records and not our megabytes.
 */
#include "base/arena.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/mman.h>
#include <stdint.h>

#define CHUNK_SIZE ((size_t) 64 * 1024)
#define RESERVE_SIZE ((size_t) 512 * 1024)
/* 10,000 live threads at 1 KiB each, and room to spare. */
#define MAPPED_MOST ((size_t) 64 * 1024 * 1024)
#define SMALLEST_SHIFT 4
#define CLASSES 12 /* 16 bytes to 32 KiB */

struct free_piece {
    struct free_piece *next;
};

/* Heads the mapping of a chunk, and of a piece too large for any class. */
struct chunk {
    struct chunk *next;
    size_t size;
};

static struct {
    struct free_piece *free[CLASSES];
    struct chunk *chunks;
    char *at, *end;
    size_t mapped;
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

    if (arena.mapped + size > MAPPED_MOST || memory__is_quiet())
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
    if (memory__is_quiet())
        return;
    *link = chunk->next;
    arena.mapped -= chunk->size;
    sys__munmap(chunk, chunk->size);
}

/* The rest of the old chunk is given up: at most half of one, once. */
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
 * Where no more can be had the rest of the newest chunk serves: of the pieces before it nobody here
 * knows. Another thread may have been taking one, or beginning the chunk.
 */
void arena__forget(void) {
    char *at = arena.at, *end = arena.end;

    memory__fill(&arena, 0, sizeof arena);
    if (!memory__is_quiet() || at > end || (size_t) (end - at) > RESERVE_SIZE)
        return;
    memory__fill(at, 0, (size_t) (end - at));
    arena.at = at;
    arena.end = end;
}

size_t arena__mapped(void) {
    return arena.mapped;
}
