/*
 * The stacks that hooks run on. The trampolines take and give a stack with one instruction each;
 * this file maps them, and frees a stack whose user was killed on it.
 */
#ifndef NSD_PROBES_GO_STACKPOOL_H
#define NSD_PROBES_GO_STACKPOOL_H

#include <stdbool.h>
#include <stdint.h>

/* Reserves the pool; its pages come when they are first used. */
bool stackpool__begin(void);
/* At the begin and at the end of a hook: the M that the stack is in use for. */
void stackpool__own(uint64_t stack, uint64_t m);
void stackpool__disown(uint64_t stack);
/*
 * A vfork child of this M is gone: frees the stacks that it still held. Called by the M's own thread
 * on the stack `own`.
 */
void stackpool__reclaim(uint64_t m, uint64_t own);
/* In a copy made by a clone without CLONE_VM: frees the stacks of threads that were not copied. */
void stackpool__fork_child(uint64_t own);

#endif
