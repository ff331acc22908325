/*
 * Where the unwind table of a module is: its PT_GNU_EH_FRAME. Called by unwind.c and by
 * libunwind_needs.c, in hooks; no allocation, no lock.
 */
#ifndef NSD_STACKS_UNWIND_TABLES_H
#define NSD_STACKS_UNWIND_TABLES_H

#include "names/modules.h"
#include <stdint.h>

/* An .eh_frame_hdr in memory, NULL for NULL, closed modules and modules that have none. */
const uint8_t *unwind_tables__of(const struct nsd_module *module);

#endif
