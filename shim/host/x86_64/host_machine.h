/*
 * What host says about x86_64: where the C libraries keep a thread's tid. Included by caller.c.
 * Another machine has a host_machine.h with the same names.
 */
#ifndef NSD_HOST_MACHINE_H
#define NSD_HOST_MACHINE_H

/*
 * Bytes from the thread pointer to the tid of struct pthread: glibc since 2.4 (nptl/descr.h), musl
 * since 1.1.22 (src/internal/pthread_impl.h).
 */
#define NSD_TID_OFFSETS                                                                            \
    { 720, 48 }

#endif
