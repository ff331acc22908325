/*
 * The end of the image as the exits see it: the report once, and the status that exitcode= may
 * change. Called by the wrappers of the exits, by the Go hook of runtime.exit and by the library's
 * own destructor.
 */
#ifndef NSD_CALLS_ENDING_H
#define NSD_CALLS_ENDING_H

#include "ledger/event.h"

/* exit() was called: its event is kept until its handlers have run and the image does end. */
void ending__announce(const struct nsd_event *exit);
/* After the report of this image: the status to leave with, changed only where exitcode= says so.
 */
int ending__status(int status);

#endif
