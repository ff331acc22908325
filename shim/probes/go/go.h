/*
 * shim/probes/go: the entrance of system calls that the Go runtime makes itself.
 *
 * In:   at start, a module with a Go runtime (goruntime finds and decodes it); afterwards each
 *       watched system call of the runtime, before and after the kernel's part.
 * Out:  the runtime's text with jumps in it, and calls of calls__before and calls__after with the
 *       row, the arguments, the result and the goroutine that called.
 * Who:  the constructor and pthread_create call the functions below. The runtime's patched sites
 *       enter by the machine's trampolines: stub (patch.c, stub.h) -> trampoline -> hook.c or
 * own_calls.c. Not:  nothing here knows what a call means (shim/calls does). Hooks run on a stack
 * of the pool (stackpool.h): no libc, no TLS, no wait, since the goroutine may hold up a
 * stop-the-world.
 *
 * This file: starting the probe, and what a report says about it.
 */
#ifndef NSD_PROBES_GO_GO_H
#define NSD_PROBES_GO_GO_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Looks for a Go runtime in the executable (and, later, in a library that is loaded), decodes it,
 * checks it, patches it. Called by the constructor while the process has one thread. The coverage
 * lists what is watched and what could not be. True if there is a Go runtime at all.
 */
bool go__begin(void);
/*
 * The C library is about to make a thread for the caller at `return_address`. The first thread that
 * a Go library (-buildmode=c-shared) asks for is its runtime's: the runtime is patched now. True if
 * the caller's module has a Go runtime.
 */
bool go__library_begins(uintptr_t return_address);
/* A Go runtime is in this image and was decoded. */
bool go__known(void);
/* "1.26.8", with vendor suffixes as they are; NULL without Go or where it is unknown. */
const char *go__version(void);
/* It is newer than every release that has a row, and was decoded all the same. */
bool go__is_newer(void);
/* Places of the runtime that should be watched, and how many of them are. */
unsigned go__sites(void);
unsigned go__sites_watched(void);

#endif
