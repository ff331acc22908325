/*
 * Stacks of our own for work that needs more room than the host's stack may have left: reports, and
 * unwinding. Called from hooks; never waits.
 */
#ifndef NSD_STACKS_ON_STACK_H
#define NSD_STACKS_ON_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* Calls it on the stack that ends at `stack_top`. The machine's assembly; for on_stack.c alone. */
void on_stack__call(void (*function)(void *), void *argument, void *stack_top);
/*
 * The same with all signals blocked, unless no system call may be made. A handler of the host needs
 * the host's stack: ours may be too small for it, and a garbage collector that stops its threads by
 * signals looks for the host's pointers from where the handler finds the stack pointer.
 */
void on_stack__call_undisturbed(void (*function)(void *), void *argument, void *stack_top);

/*
 * Calls the function on a spare stack of 96 KiB with all signals blocked, so that no handler of the
 * host runs there. False, and nothing is called, if all spare stacks are taken or no system call
 * may be made.
 */
bool on_stack__call_apart(void (*function)(void *), void *argument);
/* In a fork child: frees the spare stacks, because the threads that used them were not copied. */
void on_stack__forget(void);
/* Bytes that the calling function may still use of its stack: of a spare one the rest, else 8 KiB.
 */
size_t on_stack__room(void);

#endif
