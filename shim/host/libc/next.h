/*
 * The function that would have been called without us: the next definition of a wrapped name, and
 * where there is none, what stands in for it. Called by every wrapper, also before the constructor
 * and where the shim is off.
 */
#ifndef NSD_HOST_LIBC_NEXT_H
#define NSD_HOST_LIBC_NEXT_H

#include "host/libc/functions.h"

/* A stand-in is not kept: an older glibc's libpthread may be opened later. */
void *next__look_up(enum nsd_function function);

static inline void *next__of(enum nsd_function function) {
    void *next = atomic_load_explicit(&functions_next[function], memory_order_relaxed);

    return __builtin_expect(next != NULL, 1) ? next : next__look_up(function);
}

/* With our own prototype of the name, from function_table.h. */
#define NEXT(name) ((__typeof__(&(name))) next__of(NSD_FUNCTION_##name))

#endif
