/*
 * How far up the current stack may be read. Called at every capture: the answer for a main or
 * pthread stack costs a few loads, for any other stack a system call. Safe in signal handlers.
 */
#ifndef NSD_STACKS_EXTENT_H
#define NSD_STACKS_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

struct nsd_extent {
    uintptr_t low, high; /* every byte of [low, high) can be read */
    bool known;          /* of the initial thread or a pthread, and reaches its top */
};

/* The top of the initial thread's stack; once, at start. */
void extent__main_stack(uintptr_t top);
/* Without a system call where the stack is known; of another stack only the page of the pointer. */
void extent__near(uintptr_t stack_pointer, uintptr_t thread_pointer, struct nsd_extent *extent);
/*
 * Adds up to `pages` pages that can be read now, of a stack that is not known; asks the kernel each
 * time, because such a stack may have been unmapped or cut since the last call. False if nothing
 * was added.
 */
bool extent__widen(struct nsd_extent *extent, unsigned pages);
#define NSD_EXTENT_PAGES 32u /* of a stack of unknown kind */
/* The whole stack, as far as it may be read. */
void extent__of(uintptr_t stack_pointer, uintptr_t thread_pointer, struct nsd_extent *extent);

#endif
