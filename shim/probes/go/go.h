/*
 * The Go probe as the rest of the guest sees it: put in at start, asked which goroutine runs on a
 * thread. Everything here works on Go stacks and in programs where libc's TLS is dead.
 */
#ifndef NSD_PROBES_GO_GO_H
#define NSD_PROBES_GO_GO_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Looks for a Go runtime in the executable (and, later, in a library that is loaded), decodes it,
 * checks it, patches it. Called by the constructor while the process has one thread. Says in the
 * coverage what it did and what it could not. True if there is a Go runtime at all.
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
