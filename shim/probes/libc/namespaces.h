/*
 * What surrounds a setns or unshare, for the wrappers of those names and for syscall(). The event
 * must have been prepared by observe__begin.
 */
#ifndef NSD_PROBES_LIBC_NAMESPACES_H
#define NSD_PROBES_LIBC_NAMESPACES_H

#include "ledger/event.h"
#include <stdbool.h>

/* Before the call. True if the descriptor is a pidfd: namespaces__setns_end wants to know. */
bool namespaces__setns_begin(struct nsd_event *event, int fd, int type);
/* After it, with the result of libc; returns the result. */
long namespaces__setns_end(struct nsd_event *event, bool by_pidfd, long result);
/* Before an unshare; observe__end follows it. */
void namespaces__unshare_begin(struct nsd_event *event, int flags);

#endif
