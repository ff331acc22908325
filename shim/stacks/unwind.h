/*
 * Unwinding a C stack that was not seen before: by libunwind where a module has unwind tables, by
 * frame pointers where it has none, through signal frames. Called by capture.c; slow (microseconds
 * a frame), bounded, and never reads outside the stack and the loaded modules.
 */
#ifndef NSD_STACKS_UNWIND_H
#define NSD_STACKS_UNWIND_H

#include "ledger/frames.h"
#include "stacks/extent.h"
#include <stdint.h>

/* Registers of a function at one of its calls: all that finding its caller takes. */
struct nsd_unwind_state {
    uintptr_t pc, stack_pointer, frame_pointer;
};

/* Once, at start; without it stacks are walked by frame pointers alone. */
void unwind__begin(void);

/*
 * Fills frame[0] with the state's own pc and the rest outwards; the number of frames, at least 1.
 * Slots are relative to the state's stack pointer, 0 where they are out of reach or unknown.
 */
unsigned unwind__frames(const struct nsd_unwind_state *state, const struct nsd_extent *extent,
                        struct nsd_frame *frame, unsigned most);

#endif
