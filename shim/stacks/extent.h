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
void extent__of(uintptr_t stack_pointer, uintptr_t thread_pointer, struct nsd_extent *extent);

#endif
