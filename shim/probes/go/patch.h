/*
 * Puts jumps into a Go runtime. First every place is prepared, then all of them are written at
 * once. Called by go.c alone, before the runtime has a thread.
 */
#ifndef NSD_PROBES_GO_PATCH_H
#define NSD_PROBES_GO_PATCH_H

#include "goruntime/runtime.h"

/* Reserves the page for the stubs. False: none is free within reach. */
bool patch__begin(const struct nsd_go_runtime *runtime);
/* Prepares one place. False, with *why, if it must be left alone. */
bool patch__prepare(const struct nsd_go_site *site, const char **why);
/*
 * Writes what was prepared: all of it or nothing. NULL, or why not. To be called once, also when
 * nothing was prepared (the page is then given back).
 */
const char *patch__commit(const struct nsd_go_runtime *runtime);

#endif
