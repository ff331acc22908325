/*
 * A module's file in memory, for the symbol tables that the loader does not map. Called where a
 * stack first stands in the module, before any change of root. Reached from hooks: no libc.
 */
#ifndef NSD_NAMES_MODULE_FILE_H
#define NSD_NAMES_MODULE_FILE_H

#include "names/module.h"

/* Maps the module's file, once. Opens and closes a descriptor. */
void module_file__map(struct nsd_module *module);

#endif
