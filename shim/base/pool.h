/*
 * A lock-free pool of blocks of one size. Entrances keep in it what must outlive the frame of a
 * wrapper: the argument of a thread that is about to start, the return address of a vfork.
 *
 *     take: the first block of the free list, else the next block that was never used
 *     give: the block becomes the first of the free list
 *
 * The free list is a stack of indices, popped and pushed by compare and swap. Such a list has the
 * ABA problem: thread 1 reads head A and its successor B; thread 2 takes A, takes B and gives A
 * back; thread 1 now finds head A again and would install B, which is in use. So the head carries a
 * count that grows with every exchange: thread 1 compares head and count, and its exchange fails.
 *
 * Memory is bounded by `count`, however many threads pass through. Safe in a signal handler, in a
 * fork or vfork child and on a Go stack: no thread ever waits for another.
 */
#ifndef NSD_BASE_POOL_H
#define NSD_BASE_POOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The owner sets the first three; all else zero is a pool with every block free. */
struct nsd_pool {
    void *memory; /* `count` blocks of `size` bytes, the owner's, for the life of the image */
    uint32_t count;
    uint32_t size; /* a multiple of 16; a free block's first word is the link to the next */
    /*
     * Index of the first block that was never taken. Relaxed: the add alone makes the block the
     * caller's, and no thread has written to it before.
     */
    _Atomic uint32_t never_used;
    /*
     * Low half: 1 + index of the first free block, 0 for none; high half: the count against ABA.
     * Acquire to take, release to give: the taker must see the link that the giver wrote, and must
     * not write to the block before it is its own.
     */
    _Atomic uint64_t free;
};

/* A block, not zeroed; NULL when all are taken. */
void *pool__take(struct nsd_pool *pool);
/* Gives back a block of this pool, by any thread. */
void pool__give(struct nsd_pool *pool, void *block);

#endif
