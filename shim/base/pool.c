/*
 * A free list whose head carries a count (pool.h): a block that was taken and given back between
 * another thread's look and its exchange makes that exchange fail.
 */
#include "base/pool.h"

static uint32_t _Atomic *link_of(const struct nsd_pool *pool, uint32_t index) {
    return (uint32_t _Atomic *) ((char *) pool->memory + (size_t) index * pool->size);
}

static uint64_t next_head(uint64_t head, uint32_t first) {
    return ((head >> 32) + 1) << 32 | first;
}

void *pool__take(struct nsd_pool *pool) {
    uint64_t head = atomic_load(&pool->free);
    uint32_t fresh;

    while ((uint32_t) head != 0) {
        uint32_t index = (uint32_t) head - 1;
        /* Another thread may own the block by now and write here: then the exchange fails. */
        uint32_t next = atomic_load_explicit(link_of(pool, index), memory_order_relaxed);

        if (atomic_compare_exchange_weak(&pool->free, &head, next_head(head, next)))
            return link_of(pool, index);
    }
    fresh = atomic_load(&pool->never_used);
    while (fresh < pool->count) {
        if (atomic_compare_exchange_weak(&pool->never_used, &fresh, fresh + 1))
            return link_of(pool, fresh);
    }
    return NULL;
}

void pool__give(struct nsd_pool *pool, void *block) {
    uint32_t index = (uint32_t) (((char *) block - (char *) pool->memory) / pool->size);
    uint64_t head = atomic_load(&pool->free);

    do {
        atomic_store_explicit(link_of(pool, index), (uint32_t) head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak(&pool->free, &head, next_head(head, index + 1)));
}
