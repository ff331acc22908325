/*
 * What unwinding needs to know about x86_64: DWARF's numbers of registers, the bytes of a call and
 * of a return from a signal handler, the frame that the kernel makes for a signal. Included by the
 * files of stacks. Another machine has a stacks_machine.h with the same names.
 */
#ifndef NSD_STACKS_MACHINE_H
#define NSD_STACKS_MACHINE_H

#include "base/memory.h"
#include "base_machine.h"
#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

/* DWARF numbers (System V ABI for AMD64, 3.6.2): 16 registers and the return address. */
#define NSD_DWARF_REGISTERS 17u
#define NSD_DWARF_RETURN_ADDRESS 16u
#define NSD_DWARF_FRAME_POINTER 6u
#define NSD_DWARF_STACK_POINTER 7u
#define NSD_UNWIND_FRAME_POINTER UNW_X86_64_RBP

/* struct rt_sigframe (arch/x86/include/asm/sigframe.h), from the trampoline's stack pointer. */
#define NSD_SIGNAL_FRAME_POINTER 120u /* saved rbp */
#define NSD_SIGNAL_STACK_POINTER 160u /* saved rsp */
#define NSD_SIGNAL_PC 168u            /* saved rip */
#define NSD_SIGNAL_FRAME_SIZE 176u

/* How many bytes before a return address machine__ends_call reads. */
#define NSD_CALL_SIZE_MOST 8u
/* How many bytes machine__is_signal_return reads. */
#define NSD_SIGNAL_RETURN_SIZE 9u

/* A call instruction ends before `end`: call rel32, or call by register or memory. */
static inline bool machine__ends_call(const uint8_t *end) {
    if (end[-5] == 0xe8)
        return true;
    for (int length = 2; length <= 7; length++) {
        if (end[-length] == 0xff && (end[1 - length] & 0x38) == 0x10)
            return true;
    }
    return false;
}

/* The code that a signal handler returns to: mov $__NR_rt_sigreturn, %rax or %eax; syscall. */
static inline bool machine__is_signal_return(const uint8_t *code) {
    static const uint8_t long_form[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    static const uint8_t short_form[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};

    return memory__equal(code, long_form, sizeof long_form) ||
           memory__equal(code, short_form, sizeof short_form);
}

#endif
