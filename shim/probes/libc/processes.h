/*
 * What surrounds a call that starts a process, for the wrappers of those names and for syscall().
 */
#ifndef NSD_PROBES_LIBC_PROCESSES_H
#define NSD_PROBES_LIBC_PROCESSES_H

#include "ledger/event.h"
#include <stdbool.h>

/*
 * After a call that may have made a copy of this process (fork, clone without CLONE_VM), in both:
 * `ours` says whether the event was prepared. Returns the result.
 */
long processes__copied(struct nsd_event *event, bool ours, long result);

#endif
