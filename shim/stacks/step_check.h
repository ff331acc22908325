/*
 * Whether libunwind may take its next step: computes from the unwind table which words libunwind
 * would read, and allows the step only if all of them are on the stack. Called by unwind.c before
 * each step, because libunwind itself checks nothing. No allocation.
 */
#ifndef NSD_STACKS_STEP_CHECK_H
#define NSD_STACKS_STEP_CHECK_H

#include "names/modules.h"
#include "stacks/extent.h"
#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * True if the step is safe; *cfa is then where the caller's stack pointer will be, *return_place
 * where the return address stands. False at the end of the stack (the table calls the return address
 * undefined), where a word outside the extent would be read, and for forms of tables that compilers
 * do not make.
 */
bool step_check__allows(unw_cursor_t *cursor, const unw_proc_info_t *procedure,
                        const struct nsd_module *module, const struct nsd_extent *extent,
                        uintptr_t *cfa, uintptr_t *return_place);

#endif
