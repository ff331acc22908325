/*
 * Stacks of our own for work that takes more than the host's may have: reports, and unwinding on
 * the stacks of threads and handlers. Called from hooks; nothing is waited for.
 */
#ifndef NSD_STACKS_ON_STACK_H
#define NSD_STACKS_ON_STACK_H

#include <stdbool.h>

/* Calls it on the stack that ends at `stack_top`. */
void on_stack__call(void (*function)(void *), void *argument, void *stack_top);

/*
 * Calls it on a spare stack of 16 KiB with all signals blocked: a handler of the host's has no
 * business there. False, and nothing is called, where all are taken or no system call may be made.
 */
bool on_stack__call_apart(void (*function)(void *), void *argument);
/* In a fork child: who held a spare stack is not here. */
void on_stack__forget(void);

#endif
