/*
 * What every wrapper does around the real call: ask who calls, build the event, take the caller's
 * stack, hand the event in with the call's result. Called by the wrappers of this folder alone.
 * Leaves errno as the real call left it; holds nothing while the real call runs, since a thread may
 * be cancelled or jump out of it.
 */
#ifndef NSD_CALLS_OBSERVE_H
#define NSD_CALLS_OBSERVE_H

#include "ledger/event.h"
#include "host/libc/functions.h"
#include "host/caller.h"
#include "intake/submit.h"
#include <stdbool.h>
#include <stdint.h>

/* Where a wrapper was called from, for the capture of its stack. */
struct nsd_site {
    uintptr_t return_address;
    uintptr_t stack_pointer; /* of the caller, after the wrapper returns */
    uintptr_t frame_pointer; /* of the caller */
};

/* In the exported function itself only: it looks at that function's own frame. */
#define NSD_SITE()                                                                                 \
    (&(const struct nsd_site){                                                                     \
        .return_address = (uintptr_t) __builtin_return_address(0),                                 \
        .stack_pointer = (uintptr_t) __builtin_frame_address(0) + 2 * sizeof(uintptr_t),           \
        .frame_pointer = *(const uintptr_t *) __builtin_frame_address(0),                          \
    })

/*
 * Prepares the event of a call that is about to be made. False if the call is not to be recorded
 * (a vfork child, a stranger): then only the real call is made. `site` NULL: without a stack.
 */
bool observe__begin(struct nsd_event *event, enum nsd_call call, const struct nsd_site *site);
/* Adds the stack to an event that was begun without. */
void observe__stack(struct nsd_event *event, const struct nsd_site *site);
/*
 * Hands it in with the result as libc gives it: -1 is turned into the host's errno. Returns the
 * result.
 */
long observe__end(struct nsd_event *event, long result);
/* A result of libc as the kernel would have given it: a negative errno for a failure. */
long observe__kernel_result(long result);

/* The host's errno; 0 and nothing where the host has none. */
int host__errno(void);
void host__set_errno(int error);

#endif
