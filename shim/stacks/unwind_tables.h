/*
 * Where the unwind table of a module is: its PT_GNU_EH_FRAME, or, where the linker made none
 * (Debian's musl-gcc does not ask for it), an index of our own over its .eh_frame section. Called
 * by unwind.c and by libunwind_needs.c, in hooks; no lock, memory only for an index.
 */
#ifndef NSD_STACKS_UNWIND_TABLES_H
#define NSD_STACKS_UNWIND_TABLES_H

#include "names/modules.h"
#include <stdbool.h>
#include <stdint.h>

/* An .eh_frame_hdr in memory; NULL for NULL, for closed modules and for modules without a table. */
const uint8_t *unwind_tables__of(const struct nsd_module *module);
/*
 * Makes the index of a module that needs one, when a stack first stands in it: maps its file and
 * reads its section headers, once. Does nothing if the module has a table or no system call may be
 * made.
 */
void unwind_tables__prepare(struct nsd_module *module);

/*
 * Whether the module's table has an entry for this pc; true where the form of the table is not
 * known here. LLVM's libunwind reads the whole .eh_frame for a pc that its index does not cover
 * (UnwindCursor::getInfoFromDwarfSection), so it is asked only about those that have an entry.
 */
bool unwind_tables__covers(const struct nsd_module *module, uintptr_t pc);

#endif
