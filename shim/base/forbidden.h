/*
 * Whether the guest may make system calls of its own. The meaning of seccomp forbids them
 * (calls/seccomp.c); every room asks. Includes no header of the kernel, so that tests can.
 */
#ifndef NSD_BASE_FORBIDDEN_H
#define NSD_BASE_FORBIDDEN_H

#include <stdatomic.h>
#include <stdbool.h>

/*
 * The host has installed a seccomp filter, which may answer a system call that it does not expect
 * with a signal: from then on the guest makes none of its own. Set once, by the thread that sees
 * the filter; read by every thread. Relaxed: no other data is published with it, and a thread that
 * reads the old value had no filter to fear when it read it.
 */
extern _Atomic bool nsd_calls_are_forbidden;

/* Asked before each system call that the host would not have made itself. One load. */
static inline bool sys__is_forbidden(void) {
    return atomic_load_explicit(&nsd_calls_are_forbidden, memory_order_relaxed);
}
/* Cannot be taken back. */
void sys__forbid(void);

#endif
