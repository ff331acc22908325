/*
 * The functions that LLVM's libunwind needs of a C library. Its archive is linked under names of
 * our own (libunwind.syms), so that it calls neither the host's functions nor our wrappers of them.
 * Called by libunwind.a, and by unwind.c to survive its abort().
 */
#ifndef NSD_STACKS_LIBUNWIND_NEEDS_H
#define NSD_STACKS_LIBUNWIND_NEEDS_H

#include <stdatomic.h>
#include <stdint.h>

/* Where an abort() of libunwind goes on: __builtin_setjmp's buffer and the stack it is on. */
struct nsd_unwind_guard {
    /* An address in the frame that waits, 0: free. Sequentially consistent: taken once a walk. */
    _Atomic uintptr_t stack;
    void *jump[5];
};

/* A guard for the frame at `stack`; NULL when all are taken (then libunwind is not called). */
struct nsd_unwind_guard *libunwind_needs__guard(uintptr_t stack);
void libunwind_needs__unguard(struct nsd_unwind_guard *guard);

#endif
