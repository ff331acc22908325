/*
 * The hooks of the Go runtime's system calls. Called by go.c at start and by own_calls.c; no libc.
 */
#ifndef NSD_PROBES_GO_HOOK_H
#define NSD_PROBES_GO_HOOK_H

#include "calls/calls.h"
#include "probes/go/hooked_call.h"

/* Fills nsd_go_watch by the table of calls. Called at start, while the process has one thread. */
void hook__begin(void);
/* A descriptor that leads to a namespace is known: the calls about descriptors are watched too. */
void hook__watch_descriptors(void);
/*
 * Hands a call to shim/calls, before or after the kernel's part. Its g must be readable. The kernel
 * gets the arguments as they are left in `call`.
 */
void hook__hand_over(enum nsd_row row, struct nsd_go_call *call, bool is_before);

#endif
