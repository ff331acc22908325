/*
 * The option signal=: our handler in front of the host's own. Called by the wrappers of sigaction
 * and signal, by the Go hook of rt_sigaction and by the constructor; safe in a signal handler.
 */
#ifndef NSD_CALLS_SIGNALS_H
#define NSD_CALLS_SIGNALS_H

#include "calls/disposition.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts our handler in, if signal= is set. Called once by the constructor. */
void signals__begin(void);

/*
 * True if the signal is ours: the host's wish then never reaches the kernel. `key`: of the caller.
 */
bool signals__is_ours(int number, uintptr_t key);

/*
 * What the host asks for our signal: `set` and `old` as rt_sigaction takes them, each may be NULL.
 * The host's action is kept here, and the kernel gets it only if it ignores the signal. The host
 * sees it as if we were not there, and our handler does what it says after the report.
 */
void signals__host_action(const struct nsd_kernel_action *set, struct nsd_kernel_action *old);

#endif
