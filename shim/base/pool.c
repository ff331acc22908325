/*
 * The pool, see pool.h for how its free list works. Called by entrances on any thread, also in
 * signal handlers: it may not wait, allocate or make a system call.
 */
#include "base/pool.h"

/* Where a free block keeps the head that was there before it: 1 + an index, 0 for the last. */
static uint32_t _Atomic *link_of(const struct nsd_pool *pool, uint32_t index) {
    return (uint32_t _Atomic *) ((char *) pool->memory + (size_t) index * pool->size);
}

static uint64_t next_head(uint64_t head, uint32_t first) {
    return ((head >> 32) + 1) << 32 | first;
}

void *pool__take(struct nsd_pool *pool) {
    uint64_t head = atomic_load_explicit(&pool->free, memory_order_acquire);
    uint32_t fresh;

    while ((uint32_t) head != 0) {
        uint32_t index = (uint32_t) head - 1;
        /*
         * Another thread may have taken the block meanwhile, so that this is not a link but the
         * thread's data. The count has then changed, and the exchange fails.
         */
        uint32_t next = atomic_load_explicit(link_of(pool, index), memory_order_relaxed);

        if (atomic_compare_exchange_weak_explicit(&pool->free, &head, next_head(head, next),
                                                  memory_order_acquire, memory_order_acquire))
            return link_of(pool, index);
    }
    fresh = atomic_load_explicit(&pool->never_used, memory_order_relaxed);
    while (fresh < pool->count) {
        if (atomic_compare_exchange_weak_explicit(&pool->never_used, &fresh, fresh + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return link_of(pool, fresh);
    }
    return NULL;
}

void pool__give(struct nsd_pool *pool, void *block) {
    uint32_t index = (uint32_t) (((char *) block - (char *) pool->memory) / pool->size);
    uint64_t head = atomic_load_explicit(&pool->free, memory_order_relaxed);

    do {
        atomic_store_explicit(link_of(pool, index), (uint32_t) head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&pool->free, &head, next_head(head, index + 1),
                                                    memory_order_release, memory_order_relaxed));
}
