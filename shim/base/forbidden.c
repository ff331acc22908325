/*
 * Whether the guest may make system calls of its own, see forbidden.h. One counter, changed by the
 * meaning of seccomp alone.
 */
#include "base/forbidden.h"

_Atomic uint32_t nsd_filters;

void sys__forbid(void) {
    atomic_fetch_add_explicit(&nsd_filters, 1, memory_order_relaxed);
}

void sys__permit(void) {
    atomic_fetch_sub_explicit(&nsd_filters, 1, memory_order_relaxed);
}
