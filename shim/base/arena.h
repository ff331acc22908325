/*
 * The guest's only heap. How it works:
 *
 *     take(size)   size is rounded up to a power of two, its class; the block is the first of the
 *                  class's free list, else the next bytes of the newest chunk, else of a new chunk
 *                  from mmap
 *     give(size)   the block becomes the first of its class's free list; no header is kept, so the
 *                  caller says the size again
 *
 * A chunk is not returned to the kernel. Blocks above 32 KiB have a mapping of their own, and are.
 * The total is bounded: a host that leaks threads costs lost records, not memory without end.
 *
 * Called by the ledger, the rules and uthash, by the owner of the ledger's lock alone: hence never
 * in a vfork child, and in a signal handler only if it got the lock. A fork child calls
 * arena__forget() first, because another thread of the parent may have been changing the lists.
 */
#ifndef NSD_BASE_ARENA_H
#define NSD_BASE_ARENA_H

#include <stddef.h>

/* `size` bytes, zeroed, 16-byte aligned; NULL when mmap fails or the limit is reached. */
void *arena__take(size_t size);
/* Maps memory in advance: called before the host's seccomp filter makes mmap impossible. */
void arena__reserve(void);
/* Gives back what arena__take(size) returned, with that size. NULL is ignored. */
void arena__give(void *memory, size_t size);
/* Unmaps everything. Blocks that are still in use become invalid. */
void arena__reset(void);
/*
 * Starts again with an empty heap and leaves the old one mapped: for a fork child. Blocks of the
 * old heap stay readable and must not be given back.
 */
void arena__forget(void);

#endif
