/*
 * The caller's stack at a hook: C by LLVM's libunwind with the frame-pointer chain as fallback and
 * a cache that knows call sites that come again; Go by frame pointers within the goroutine's stack.
 * Called from hooks; no libc, no TLS, no lock, nothing allocated from the host, and 1 KiB of its
 * stack, but for 7 KiB where a stack of our own cannot be had.
 */
#ifndef NSD_STACKS_CAPTURE_H
#define NSD_STACKS_CAPTURE_H

#include "ledger/frames.h"
#include <stdint.h>

/* Set once at start from the option `depth` (1 to NSD_DEPTH_MOST). */
void capture__begin(unsigned depth);
/*
 * Set once at start: the top of the initial thread's stack, any address above its last frame that
 * the kernel put there (a string of argv or envp). Left out: such stacks are unwound every time.
 */
void capture__main_stack(uintptr_t top);

/*
 * Of the C function that called the wrapper. `return_address`, `stack_pointer` are what the caller
 * has after the wrapper returns (__builtin_return_address(0), __builtin_dwarf_cfa()); frame_pointer
 * is the caller's rbp. Slots are relative to `stack_pointer`; frame 0's is 0, since the wrapper's
 * return address stood below it. NULL: none could be had, or no room.
 */
const struct nsd_frames *capture__native(uintptr_t return_address, uintptr_t stack_pointer,
                                         uintptr_t frame_pointer);

/* Of a goroutine: pc, then the frame-pointer chain as long as it stays within [low, high). */
const struct nsd_frames *capture__go(uintptr_t pc, uintptr_t frame_pointer, uintptr_t low,
                                     uintptr_t high);
/*
 * `native`, and behind it a goroutine's stack from `pc` on: the code that called C. `native` alone
 * where there is no room.
 */
const struct nsd_frames *capture__go_behind(const struct nsd_frames *native, uintptr_t pc,
                                            uintptr_t frame_pointer, uintptr_t low, uintptr_t high);

#endif
