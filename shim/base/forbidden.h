/*
 * Whether the guest may make system calls of its own. The meaning of seccomp forbids them
 * (calls/seccomp.c); every room asks. Includes no header of the kernel, so that tests can.
 */
#ifndef NSD_BASE_FORBIDDEN_H
#define NSD_BASE_FORBIDDEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * How many seccomp filters the host has installed or is about to install: a filter may answer a
 * system call that it does not expect with a signal, so that the guest makes none of its own unless
 * this is 0. Changed by the thread that installs a filter, before its call, because the filter may
 * hold for all threads at once (SECCOMP_FILTER_FLAG_TSYNC); read by every thread. Relaxed: no other
 * data is published with it.
 */
extern _Atomic uint32_t nsd_filters;

/* Asked before each system call that the host would not have made itself. One load. */
static inline bool sys__is_forbidden(void) {
    return atomic_load_explicit(&nsd_filters, memory_order_relaxed) != 0;
}
/* Before the host installs a filter. */
void sys__forbid(void);
/*
 * Takes one sys__forbid back: the host's call failed, or its filter cannot harm us. At most once
 * for each sys__forbid.
 */
void sys__permit(void);

#endif
