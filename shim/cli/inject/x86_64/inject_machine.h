/*
 * The registers of a stopped program on x86_64: which of them a system call takes, where its
 * result is, how a function is entered, and what else must be kept. Included by remote.h. Another
 * machine has an inject_machine.h with the same names.
 */
#ifndef NSD_CLI_INJECT_MACHINE_H
#define NSD_CLI_INJECT_MACHINE_H

#include <elf.h>
#include <stdint.h>
#include <sys/user.h>

/* As PTRACE_GETREGSET hands them out for NT_PRSTATUS. */
typedef struct user_regs_struct nsd_registers;

/* Register sets that hold the rest, the first one that the kernel knows being enough. */
#define NSD_EXTENDED_REGISTERS                                                                     \
    { NT_X86_XSTATE, NT_PRFPREG }
/* The state components of x87, SSE, AVX, AVX-512 and AMX, with room for more. */
#define NSD_EXTENDED_MOST 16384

static inline uint64_t registers__stack_pointer(const nsd_registers *registers) {
    return registers->rsp;
}

static inline uint64_t registers__result(const nsd_registers *registers) {
    return registers->rax;
}

/* The program is in no system call: the kernel must not restart one. */
static inline void registers__leave_call(nsd_registers *registers) {
    registers->orig_rax = UINT64_MAX;
}

/* Makes a system call at the instruction that stands at `at`. */
static inline void registers__set_call(nsd_registers *registers, uint64_t at, long number,
                                       const uint64_t arguments[6]) {
    registers->rip = at;
    registers->rax = (uint64_t) number;
    registers->rdi = arguments[0];
    registers->rsi = arguments[1];
    registers->rdx = arguments[2];
    registers->r10 = arguments[3];
    registers->r8 = arguments[4];
    registers->r9 = arguments[5];
}

/*
 * Enters a function with one argument. Code that was built with a stack protector (LLVM's
 * libunwind) reads a word near the thread pointer.
 */
static inline void registers__set_entry(nsd_registers *registers, uint64_t entry,
                                        uint64_t stack_pointer, uint64_t thread_pointer,
                                        uint64_t argument) {
    registers->rip = entry;
    registers->rsp = stack_pointer;
    registers->fs_base = thread_pointer;
    registers->rdi = argument;
}

#endif
