/*
 * The table of stacks, see frames.h for how it works without a lock. Called from every hook and
 * from signal handlers: it may not wait, and it makes no system call but the mmap of its pieces.
 */
#include "ledger/frames.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/mman.h>
#include <stdatomic.h>

#define PIECE_SIZE ((size_t) 512 << 10)
#define PIECES (NSD_STACKS_ROOM / PIECE_SIZE)
/* The end of the last piece is for stacks of one frame: a finding always names its call. */
#define LONE_ROOM ((size_t) 64 << 10)
#define KEY_BUCKETS 512u
#define HASH_BUCKETS 1024u

struct table {
    /*
     * First stack of each bucket. Release to publish a stack, acquire to find it: the reader must
     * see the finished stack behind the pointer.
     */
    _Atomic(struct nsd_frames *) by_key[KEY_BUCKETS];
    _Atomic(struct nsd_frames *) by_hash[HASH_BUCKETS];
    /*
     * Mappings for stacks; the first one is the table itself. Acquire to read and release to
     * install: what a thread writes into a piece must come after its mapping.
     */
    _Atomic(char *) piece[PIECES];
    /*
     * Bytes given out of each piece; the last id; stacks without room. Relaxed: each is a counter
     * whose atomic add alone gives the caller its own value, and nothing is published with it.
     */
    _Atomic size_t used[PIECES];
    _Atomic uint32_t ids;
    _Atomic uint64_t lost;
    /* Relaxed: a thread that sees it late unwinds once in vain. */
    _Atomic bool full;
};

/*
 * NULL until the first stack. Acquire to read: what a thread writes into the table must come after
 * the mapping. Release to install: a new mapping is zero, which is an empty table.
 */
static _Atomic(struct table *) the_table;
/* The table of a fork copy's parent, which the copy's last stacks from before the fork are in. */
static struct table *parents_table;

static void *map_piece(void) {
    long at;

    if (sys__is_forbidden())
        return NULL;
    at = sys__mmap(NULL, PIECE_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return SYS_IS_ERROR(at) ? NULL : (void *) at;
}

static struct table *table_get(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);
    struct table *none = NULL;

    if (table != NULL || (table = map_piece()) == NULL)
        return table;
    atomic_store_explicit(&table->piece[0], (char *) table, memory_order_relaxed);
    atomic_store_explicit(&table->used[0], (sizeof *table + 15) & ~(size_t) 15,
                          memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&the_table, &none, table, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        sys__munmap(table, PIECE_SIZE);
        return none;
    }
    return table;
}

static char *piece_get(struct table *table, unsigned index) {
    char *piece = atomic_load_explicit(&table->piece[index], memory_order_acquire);
    char *none = NULL;

    if (piece != NULL || (piece = map_piece()) == NULL)
        return piece;
    if (!atomic_compare_exchange_strong_explicit(&table->piece[index], &none, piece,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        sys__munmap(piece, PIECE_SIZE);
        return none;
    }
    return piece;
}

/* Bytes for a stack, of the first piece that has so many left; NULL if there is none. */
static void *take_room(struct table *table, size_t size, size_t kept_free) {
    for (unsigned i = 0; i < PIECES; i++) {
        size_t end = i + 1 == PIECES ? PIECE_SIZE - kept_free : PIECE_SIZE;
        size_t at = atomic_load_explicit(&table->used[i], memory_order_relaxed);
        char *piece = at + size > end ? NULL : piece_get(table, i);

        while (at + size <= end) {
            if (piece == NULL)
                return NULL;
            if (atomic_compare_exchange_weak_explicit(&table->used[i], &at, at + size,
                                                      memory_order_relaxed, memory_order_relaxed))
                return piece + at;
        }
    }
    return NULL;
}

void frames__prepare(void) {
    struct table *table = table_get();
    unsigned i = 0;

    if (table == NULL)
        return;
    /* The piece that is being filled, and another one if less than half of it is left. */
    while (i + 1 < PIECES &&
           atomic_load_explicit(&table->used[i], memory_order_relaxed) > PIECE_SIZE / 2)
        i++;
    piece_get(table, i);
}

static unsigned bucket_of(uint64_t key, unsigned buckets) {
    return (unsigned) ((key ^ (key >> 32)) * 0x9e3779b1u >> 16) % buckets;
}

static uint64_t hash_of(const struct nsd_frame *frame, unsigned depth) {
    uint64_t hash = NSD_FRAMES_HASH;

    for (unsigned i = 0; i < depth; i++)
        hash = frames__hash_step(hash, frame[i].pc);
    return hash;
}

static int same_stack(const struct nsd_frames *frames, const struct nsd_frame *frame,
                      unsigned depth) {
    if (frames->depth != depth)
        return 0;
    for (unsigned i = 0; i < depth; i++) {
        if (frames->frame[i].pc != frame[i].pc || frames->frame[i].slot != frame[i].slot)
            return 0;
    }
    return 1;
}

/* The first stack of this key in the bucket that begins with `at`. */
static struct nsd_frames *of_key(struct nsd_frames *at, uint64_t key) {
    while (at != NULL && at->key != key)
        at = at->next_key;
    return at;
}

static const struct nsd_frames *of_hash(const struct nsd_frames *at, uint64_t hash) {
    while (at != NULL && at->hash != hash)
        at = at->next_hash;
    return at;
}

const struct nsd_frames *frames__first(uint64_t key) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);

    if (table == NULL)
        return NULL;
    return of_key(
        atomic_load_explicit(&table->by_key[bucket_of(key, KEY_BUCKETS)], memory_order_acquire),
        key);
}

const struct nsd_frames *frames__first_of_hash(uint64_t hash) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);

    if (table == NULL)
        return NULL;
    return of_hash(
        atomic_load_explicit(&table->by_hash[bucket_of(hash, HASH_BUCKETS)], memory_order_acquire),
        hash);
}

const struct nsd_frames *frames__next_of_hash(const struct nsd_frames *frames) {
    return of_hash(frames->next_hash, frames->hash);
}

static void publish_by_hash(struct table *table, struct nsd_frames *made) {
    _Atomic(struct nsd_frames *) *bucket = &table->by_hash[bucket_of(made->hash, HASH_BUCKETS)];
    struct nsd_frames *first = atomic_load_explicit(bucket, memory_order_relaxed);

    do {
        made->next_hash = first;
    } while (!atomic_compare_exchange_weak_explicit(bucket, &first, made, memory_order_release,
                                                    memory_order_relaxed));
}

/*
 * The first stack of a key goes into the bucket. This succeeds only if the bucket still is as it
 * was when no stack of the key was found there, so that a key has one first stack. The others hang
 * on the first one: a call site with thousands of stacks costs other call sites nothing.
 */
static void publish_by_key(struct table *table, struct nsd_frames *made) {
    _Atomic(struct nsd_frames *) *bucket = &table->by_key[bucket_of(made->key, KEY_BUCKETS)];
    struct nsd_frames *first = atomic_load_explicit(bucket, memory_order_acquire), *head, *same;

    while ((head = of_key(first, made->key)) == NULL) {
        made->next_key = first;
        if (atomic_compare_exchange_weak_explicit(bucket, &first, made, memory_order_release,
                                                  memory_order_acquire))
            return;
    }
    same = atomic_load_explicit(&head->same_key, memory_order_relaxed);
    do {
        atomic_store_explicit(&made->same_key, same, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&head->same_key, &same, made,
                                                    memory_order_release, memory_order_relaxed));
}

const struct nsd_frames *frames__intern(uint64_t key, const struct nsd_frame *frame,
                                        unsigned depth) {
    struct table *table = table_get();
    struct nsd_frames *made;
    uint64_t hash;
    size_t size;

    if (depth == 0 || depth > NSD_DEPTH_MOST)
        return NULL;
    hash = hash_of(frame, depth);
    for (const struct nsd_frames *known = frames__first_of_hash(hash); known != NULL;
         known = frames__next_of_hash(known)) {
        if (known->key == key && same_stack(known, frame, depth))
            return known;
    }
    if (table == NULL)
        return NULL;
    size = sizeof *made + depth * sizeof made->frame[0];
    size = (size + 15) & ~(size_t) 15;
    made = take_room(table, size, depth == 1 ? 0 : LONE_ROOM);
    if (made == NULL) {
        atomic_store_explicit(&table->full, true, memory_order_relaxed);
        frames__count_lost();
        return NULL;
    }
    made->hash = hash;
    made->key = key;
    made->id = atomic_fetch_add_explicit(&table->ids, 1, memory_order_relaxed) + 1;
    made->depth = (uint16_t) depth;
    memory__copy(made->frame, frame, depth * sizeof made->frame[0]);
    /* Fills in its link of the keys before the stack can be found by hash. */
    publish_by_key(table, made);
    publish_by_hash(table, made);
    return made;
}

void frames__mark_shared(const struct nsd_frames *frames) {
    /* A field that changes after publishing, hence the cast. */
    if (frames != NULL)
        atomic_store_explicit(&((struct nsd_frames *) (uintptr_t) frames)->is_shared, 1,
                              memory_order_relaxed);
}

bool frames__is_full(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);

    return table != NULL && atomic_load_explicit(&table->full, memory_order_relaxed);
}

void frames__count_lost(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);

    if (table != NULL)
        atomic_fetch_add_explicit(&table->lost, 1, memory_order_relaxed);
}

uint64_t frames__lost(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);

    return table == NULL ? 0 : atomic_load_explicit(&table->lost, memory_order_relaxed);
}

static void unmap(struct table *table) {
    for (unsigned i = PIECES; table != NULL && i-- > 0;) {
        char *piece = atomic_load_explicit(&table->piece[i], memory_order_relaxed);

        if (piece != NULL)
            sys__munmap(piece, PIECE_SIZE);
    }
}

void frames__begin_copy(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_relaxed);

    if (table == NULL)
        return;
    atomic_store_explicit(&table->lost, 0, memory_order_relaxed);
    if (sys__is_forbidden() ||
        atomic_load_explicit(&table->piece[PIECES / 2], memory_order_relaxed) == NULL)
        return;
    /* The grandparent's: whatever held one of its stacks was forgotten when this image began. */
    unmap(parents_table);
    parents_table = table;
    atomic_store_explicit(&the_table, NULL, memory_order_relaxed);
}

void frames__reset(void) {
    unmap(atomic_exchange_explicit(&the_table, NULL, memory_order_acquire));
    unmap(parents_table);
    parents_table = NULL;
}
