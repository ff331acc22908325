/*
 * A seccomp filter of the host's is about to be set or stands, for prctl and syscall().
 */
#ifndef NSD_PROBES_LIBC_FILTERS_H
#define NSD_PROBES_LIBC_FILTERS_H

#include "calls/seccomp.h"
#include <stdbool.h>

/* Before the call. False if it is not this process's own (a vfork child's). */
bool filters__before(const struct nsd_filter_call *call);

#endif
