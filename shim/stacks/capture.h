/*
 * The room of stacks: the stack of a call as one pointer.
 *
 * In: the registers of the caller at a hook, the module table (names). Out: struct nsd_frames of the
 * ledger, the same pointer for the same stack. C code is unwound by LLVM's libunwind, with the
 * frame-pointer chain where a module has no tables, behind a cache that recognises call sites; Go
 * code by frame pointers within the goroutine's stack. Called by intake, calls and probes, from
 * hooks and signal handlers. Must not: use libc, TLS or a lock, allocate from the host, read outside
 * the stack and the loaded modules, know of probes. It takes 1 KiB of the host's stack, and 7 KiB
 * where none of our spare stacks is free.
 */
#ifndef NSD_STACKS_CAPTURE_H
#define NSD_STACKS_CAPTURE_H

#include "ledger/frames.h"
#include <stdint.h>

/* Set once at start from the option `depth` (1 to NSD_DEPTH_MOST). */
void capture__begin(unsigned depth);
/*
 * Once, at start: the top of the initial thread's stack, as any address above its last frame that
 * the kernel filled (a string of argv or envp). Without it such stacks are unwound every time.
 */
void capture__main_stack(uintptr_t top);

/*
 * The stack of the C function that called the wrapper. `return_address` and `stack_pointer` are the
 * caller's pc and stack pointer after the wrapper returns (__builtin_return_address(0),
 * __builtin_dwarf_cfa()), frame_pointer is the caller's. Slots are relative to `stack_pointer`;
 * frame 0 has slot 0. NULL if there is no stack to be read or no room for a new one.
 */
const struct nsd_frames *capture__native(uintptr_t return_address, uintptr_t stack_pointer,
                                         uintptr_t frame_pointer);

/* A goroutine's stack: pc, then the frame-pointer chain as long as it stays within [low, high). */
const struct nsd_frames *capture__go(uintptr_t pc, uintptr_t frame_pointer, uintptr_t low,
                                     uintptr_t high);
/*
 * `native` followed by a goroutine's stack from `pc` on, which is the code that called C. Returns
 * `native` where there is no room for both.
 */
const struct nsd_frames *capture__go_behind(const struct nsd_frames *native, uintptr_t pc,
                                            uintptr_t frame_pointer, uintptr_t low, uintptr_t high);

#endif
