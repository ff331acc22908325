/*
 * The guest's only heap: mmap'd pages cut into size classes with free lists. Called by the ledger,
 * the rules and uthash, under the ledger's lock alone. Not for fork children (they start a new
 * one), not for signal handlers (they defer).
 */
#ifndef NSD_BASE_ARENA_H
#define NSD_BASE_ARENA_H

#include <stddef.h>

/* Zeroed memory, 16-byte aligned; NULL when the kernel gives none or the limit is reached. */
void *arena__take(size_t size);
/* Has room for a while of taking, before the host forbids system calls of ours. */
void arena__reserve(void);
/* Gives back what arena__take gave, with the same size. NULL is ignored. */
void arena__give(void *memory, size_t size);
/* Forgets everything and unmaps it: between unit tests. */
void arena__reset(void);
/*
 * Forgets everything and leaves it mapped: in a fork copy, where another thread of the parent may
 * have been in the middle of it.
 */
void arena__forget(void);

#endif
