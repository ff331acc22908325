/*
 * The steps of runtime__find, each in a file of its own. Called by find.c alone.
 */
#ifndef NSD_GORUNTIME_FIND_H
#define NSD_GORUNTIME_FIND_H

#include "goruntime/runtime.h"
#include "goruntime/segments.h"

/* The build information that Go's linker writes; NULL where there is none. */
const uint8_t *version__find(const struct nsd_module *module,
                             const struct nsd_go_sections *sections);
/* Fills version, minor and patch from it; leaves them empty where they cannot be read. */
void version__take(struct nsd_go_runtime *runtime, const uint8_t *build_info);
/* Fills function and site; sets why where a system call function is of no known make. */
void functions__find(struct nsd_go_runtime *runtime);

#endif
