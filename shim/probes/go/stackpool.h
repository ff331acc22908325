/*
 * The stacks that hooks run on. The trampolines take and give them with one instruction each; here
 * is what surrounds that: the mapping, and what becomes of a stack whose user was killed on it.
 */
#ifndef NSD_PROBES_GO_STACKPOOL_H
#define NSD_PROBES_GO_STACKPOOL_H

#include <stdbool.h>
#include <stdint.h>

/* Reserves the pool; its pages come when they are first used. */
bool stackpool__begin(void);
/* At the begin and at the end of a hook: on whose behalf (an M) the stack is in use. */
void stackpool__own(uint64_t stack, uint64_t m);
void stackpool__disown(uint64_t stack);
/*
 * A vfork child of this M is gone: what it still held is free again. Called by the M's own thread
 * on another stack.
 */
void stackpool__reclaim(uint64_t m, uint64_t own);
/* In a copy made by a clone without CLONE_VM: the other threads' stacks are nobody's. */
void stackpool__fork_child(uint64_t own);

#endif
