/*
 * Small blocks that outlive a wrapper's frame: the argument of a thread that is about to start, the
 * way back from a vfork. Lock-free, of constant size for any number of threads over time; called by
 * threads.c and vfork.c, safe in signal handlers and in fork and vfork children.
 */
#ifndef NSD_BASE_POOL_H
#define NSD_BASE_POOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * `memory` holds `count` blocks of `size` bytes. All zero but these three is an empty pool that has
 * never given anything out: no set-up is needed.
 */
struct nsd_pool {
    void *memory;
    uint32_t count;
    uint32_t size; /* a multiple of 16; the first word of a free block is the pool's */
    _Atomic uint32_t never_used; /* blocks from here on were never given out */
    _Atomic uint64_t free; /* low half: 1 + index of the first free block; high half: a count */
};

/* NULL when all are out. Not zeroed. */
void *pool__take(struct nsd_pool *pool);
void pool__give(struct nsd_pool *pool, void *block);

#endif
