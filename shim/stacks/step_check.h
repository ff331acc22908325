/*
 * Whether libunwind may take its next step: computes from the unwind table which words of the
 * stack it would read, and lets it only if all of them are on the stack. Called by unwind.c before
 * each step, since libunwind itself reads wherever registers and tables lead it. No allocation.
 */
#ifndef NSD_STACKS_STEP_CHECK_H
#define NSD_STACKS_STEP_CHECK_H

#include "names/modules.h"
#include "stacks/extent.h"
#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * True if the step is safe; *cfa is then where the caller's stack pointer will be. False where the
 * stack ends (the return address is said to be undefined), where a word would be read outside the
 * extent, and for every form of table that compilers do not make.
 */
bool step_check__allows(unw_cursor_t *cursor, const unw_proc_info_t *procedure,
                        const struct nsd_module *module, const struct nsd_extent *extent,
                        uintptr_t *cfa);

#endif
