/*
 * The table of stacks, see frames.h for how it works without a lock. Called from every hook and
 * from signal handlers: it may not wait, and it makes no system call but the mmap of the table.
 */
#include "ledger/frames.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/mman.h>
#include <stdatomic.h>

#define TABLE_SIZE ((size_t) 512 * 1024)
#define BUCKETS 512u

struct table {
    /*
     * First stack of each bucket. Release to publish a stack, acquire to find it: the reader must
     * see the finished stack behind the pointer.
     */
    _Atomic(struct nsd_frames *) buckets[BUCKETS];
    /*
     * Bytes of room[] given out; the last id; stacks without room. Relaxed: each is a counter whose
     * atomic add alone gives the caller its own value, and nothing is published with it.
     */
    _Atomic size_t used;
    _Atomic uint32_t ids;
    _Atomic uint64_t lost;
    char room[];
};

/*
 * NULL until the first stack. Acquire to read: what a thread writes into the table must come after
 * the mapping. Release to install: a new mapping is zero, which is an empty table.
 */
static _Atomic(struct table *) the_table;

static struct table *table_get(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);
    struct table *none = NULL;
    long at;

    if (table != NULL || sys__is_forbidden())
        return table;
    at = sys__mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (SYS_IS_ERROR(at))
        return NULL;
    if (!atomic_compare_exchange_strong_explicit(&the_table, &none, (struct table *) at,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        sys__munmap((void *) at, TABLE_SIZE);
        return none;
    }
    return (struct table *) at;
}

void frames__prepare(void) {
    table_get();
}

static unsigned bucket_of(uint64_t key) {
    return (unsigned) ((key ^ (key >> 32)) * 0x9e3779b1u >> 16) % BUCKETS;
}

static uint64_t hash_of(const struct nsd_frame *frame, unsigned depth) {
    uint64_t hash = HASH_START;

    for (unsigned i = 0; i < depth; i++)
        hash = (hash ^ frame[i].pc) * 0x9e3779b97f4a7c15ull ^ (hash >> 29);
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

const struct nsd_frames *frames__first(uint64_t key) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);
    const struct nsd_frames *at;

    if (table == NULL)
        return NULL;
    at = atomic_load_explicit(&table->buckets[bucket_of(key)], memory_order_acquire);
    while (at != NULL && at->key != key)
        at = at->next;
    return at;
}

const struct nsd_frames *frames__next(const struct nsd_frames *frames, uint64_t key) {
    do {
        frames = frames->next;
    } while (frames != NULL && frames->key != key);
    return frames;
}

const struct nsd_frames *frames__intern(uint64_t key, const struct nsd_frame *frame,
                                        unsigned depth) {
    struct table *table = table_get();
    struct nsd_frames *made, *first;
    size_t size, at;

    if (depth == 0 || depth > NSD_DEPTH_MOST)
        return NULL;
    for (const struct nsd_frames *known = frames__first(key); known != NULL;
         known = frames__next(known, key)) {
        if (same_stack(known, frame, depth))
            return known;
    }
    if (table == NULL)
        return NULL;
    size = sizeof *made + depth * sizeof made->frame[0];
    size = (size + 15) & ~(size_t) 15;
    at = atomic_load_explicit(&table->used, memory_order_relaxed);
    do {
        if (at + size > TABLE_SIZE - sizeof *table) {
            atomic_fetch_add_explicit(&table->lost, 1, memory_order_relaxed);
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(&table->used, &at, at + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    made = (struct nsd_frames *) (table->room + at);
    made->hash = hash_of(frame, depth);
    made->key = key;
    made->id = atomic_fetch_add_explicit(&table->ids, 1, memory_order_relaxed) + 1;
    made->depth = (uint16_t) depth;
    memory__copy(made->frame, frame, depth * sizeof made->frame[0]);
    first = atomic_load_explicit(&table->buckets[bucket_of(key)], memory_order_relaxed);
    do {
        made->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&table->buckets[bucket_of(key)], &first, made,
                                                    memory_order_release, memory_order_relaxed));
    return made;
}

void frames__mark_shared(const struct nsd_frames *frames) {
    /* The one field that changes after publishing, hence the cast. */
    if (frames != NULL)
        atomic_store_explicit(&((struct nsd_frames *) (uintptr_t) frames)->is_shared, 1,
                              memory_order_relaxed);
}

uint64_t frames__lost(void) {
    struct table *table = atomic_load_explicit(&the_table, memory_order_acquire);

    return table == NULL ? 0 : atomic_load_explicit(&table->lost, memory_order_relaxed);
}

void frames__reset(void) {
    struct table *table = atomic_exchange_explicit(&the_table, NULL, memory_order_acquire);

    if (table != NULL)
        sys__munmap(table, TABLE_SIZE);
}
