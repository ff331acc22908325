/*
 * Maps a module's file, for the symbol tables that the loader does not map. Called when a stack
 * first stands in the module, because a later chroot may put another file at the path. Reached from
 * hooks: no libc.
 */
#ifndef NSD_NAMES_MODULE_FILE_H
#define NSD_NAMES_MODULE_FILE_H

#include "names/module.h"

/* Maps the module's file, once. Opens and closes a descriptor. */
void module_file__map(struct nsd_module *module);

#endif
