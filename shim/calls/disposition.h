/*
 * What the kernel does with a signal of this process, and how the default action ends the process.
 * For the files of this room that meet a signal. Safe in a signal handler, in a fork child and on a
 * Go stack; each function makes system calls.
 */
#ifndef NSD_CALLS_DISPOSITION_H
#define NSD_CALLS_DISPOSITION_H

#include <stdbool.h>

#define NSD_HANDLER_DEFAULT ((void (*)(int)) 0)
#define NSD_HANDLER_IGNORE ((void (*)(int)) 1)

/* The kernel's struct sigaction, which libc's header contradicts. */
struct nsd_kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

/* 0 or a negative errno, as rt_sigaction gives it. */
long disposition__read(int number, struct nsd_kernel_action *action);
long disposition__set(int number, const struct nsd_kernel_action *action);

/* True if the default action of this signal would end this process. */
bool disposition__default_ends(int number);
/*
 * True if this signal, sent to the process now, would end it by its default action. False where the
 * kernel may not be asked.
 */
bool disposition__would_end(int number);
/*
 * Ends the process as the signal does by default, with the same wait status. Called in a handler of
 * that signal, which has it blocked. Unblocks it, and does not leave that to the handler's return:
 * where the signal came in sigsuspend or ppoll, the mask before that call blocks it again.
 */
void disposition__end_by(int number);

#endif
