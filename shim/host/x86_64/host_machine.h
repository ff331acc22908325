/*
 * What host says about x86_64: where the C libraries keep a thread's tid. Included by caller.c.
 * Another machine has a host_machine.h with the same names. Reached from signal handlers: no libc.
 */
#ifndef NSD_HOST_MACHINE_H
#define NSD_HOST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes from the thread pointer to the tid of struct pthread: glibc since 2.4 (nptl/descr.h), musl
 * since 1.1.22 (src/internal/pthread_impl.h).
 */
#define NSD_TID_OFFSETS                                                                            \
    { 720, 48 }

/*
 * Whether a C library's struct pthread begins at the thread pointer. A thread that was made by an
 * inline clone may have any memory there, with nothing mapped behind it. glibc's block has its own
 * address in the third word as well (nptl tcbhead_t, `self`); musl's tid is as near as that.
 */
static inline bool host_machine__is_libc_block(uintptr_t thread_pointer, ptrdiff_t tid_offset) {
    return tid_offset < 64 || ((const uintptr_t *) thread_pointer)[2] == thread_pointer;
}

#endif
