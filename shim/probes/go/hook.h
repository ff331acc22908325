/*
 * The hooks of the Go runtime's system calls, for the start of the probe and for the hooks of the
 * runtime's own calls.
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
 * Hands a call over, before it or after it, with a g that can be read; what becomes of the
 * arguments is what the kernel gets.
 */
void hook__hand_over(enum nsd_row row, struct nsd_go_call *call, bool is_before);

#endif
