/*
 * A static program that can stand anywhere (-static-pie) fills in its addresses in its own start
 * code. The library is put into it before that code runs, and finds the Go runtime by these
 * addresses. Called by the start of an injected image alone.
 */
#ifndef NSD_START_STATIC_PIE_H
#define NSD_START_STATIC_PIE_H

#include "names/modules.h"

/* Fills in the addresses that the program's start code will fill in once more. */
void static_pie__relocate(const struct nsd_module *program);
/* Takes back what the program's start code would otherwise add a second time. */
void static_pie__undo(const struct nsd_module *program);

#endif
