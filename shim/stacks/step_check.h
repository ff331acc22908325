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

/* A step, as the table describes it. */
struct nsd_step {
    uintptr_t cfa;          /* the caller's stack pointer */
    uintptr_t return_place; /* where the return address stands */
    /*
     * The table gives the step in terms of the stack pointer and the frame pointer alone: the
     * return address stands directly below the CFA, and the frame pointer is either unchanged or
     * saved at a fixed distance from the CFA. The fields below are set then.
     */
    bool is_simple;
    bool from_frame_pointer; /* CFA = frame pointer + cfa_offset, else stack pointer + it */
    bool saves_frame_pointer;
    int32_t cfa_offset, frame_pointer_place; /* the latter from the CFA */
};

/*
 * True if the step is safe; *step is filled in then. False at the end of the stack (the table calls
 * the return address undefined), where a word outside the extent would be read, and for forms of
 * tables that compilers do not make.
 */
bool step_check__allows(unw_cursor_t *cursor, const unw_proc_info_t *procedure,
                        const struct nsd_module *module, const struct nsd_extent *extent,
                        struct nsd_step *step);

#endif
