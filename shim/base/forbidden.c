/*
 * Whether the guest may make system calls of its own, see forbidden.h. Data and one store; called
 * by the meaning of seccomp alone.
 */
#include "base/forbidden.h"

_Atomic bool nsd_calls_are_forbidden;

void sys__forbid(void) {
    atomic_store_explicit(&nsd_calls_are_forbidden, true, memory_order_relaxed);
}
