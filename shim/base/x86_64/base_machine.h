/*
 * What base says about x86_64: the system call instruction, the thread pointer, the tick counter,
 * the size of a page. Included by base/syscall.h and wherever one of these is needed.
 *
 * Another machine is a folder of its name in each of these rooms, with files of the same names and
 * the same definitions in them:
 *     base/base_machine.h, names/names_machine.h, host/host_machine.h
 *     stacks/stacks_machine.h, stacks/on_stack.S (calls a function on another stack)
 *     goruntime/instructions.c (what a Go runtime's instructions tell), with its code.c and code.h
 *     calls/calls_machine.h, births.S, signals.S (clone, thread starts, signal returns)
 *     probes/go/go_machine.h, stub.c, trampoline.S (patched system calls)
 *     probes/libc: lookups.S, syscall.S, vfork.S (wrappers that cannot be written in C)
 *     start/start.S (the library's own entry), cli/inject/inject_machine.h (registers of a tracee)
 * Only instructions.c uses code.c and code.h: another machine may have other helpers. C code refers
 * to the assembly by the names that are .globl in it; goruntime/instructions.h and
 * probes/go/stub.h declare what instructions.c and stub.c define.
 */
#ifndef NSD_BASE_MACHINE_H
#define NSD_BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* The smallest page of the machine: what the loader and the kernel align mappings to. */
#define NSD_PAGE_SIZE ((uintptr_t) 4096)
/* User space addresses have at most this many bits (without LAM and five-level page tables). */
#define NSD_ADDRESS_BITS 47
/* The folder of the machine's libraries under /usr/lib on Debian and its kin. */
#define NSD_MULTIARCH "x86_64-linux-gnu"
/* The bytes of the system call instruction. */
#define NSD_SYSTEM_CALL_BYTES "\x0f\x05"
#define NSD_SYSTEM_CALL_SIZE 2
/*
 * How far below the caller's stack pointer a call leaves its return address; 0 on a machine where
 * a call leaves it in a register.
 */
#define NSD_CALL_SLOT 8u

static inline long sys__call6(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* The kernel's struct stat (asm/stat.h), as much of it as is read here. */
struct sys_stat {
    uint64_t device;
    uint64_t inode;
    uint64_t links;
    uint32_t mode;
    uint32_t uid, gid;
    uint32_t pad;
    uint64_t rdev;
    int64_t size;
    uint64_t rest[12];
};

/* Time stamp counter. Its rate is constant on every machine that containers run on. */
static inline uint64_t machine__ticks(void) {
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t) high << 32) | low;
}

/*
 * The thread pointer (FS base) as the C library keeps it: the first word that it points to is the
 * pointer itself. Valid only where a C library owns FS, which is not so on the threads of a Go
 * program without cgo.
 */
static inline uintptr_t machine__thread_pointer(void) {
    uintptr_t pointer;

    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

/* The word at `offset` from the thread pointer. */
static inline uint64_t machine__thread_word(int64_t offset) {
    uint64_t word;

    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(word) : "r"(offset));
    return word;
}

static inline void machine__pause(void) {
    __asm__ volatile("pause");
}

/* One bit for each of 16 bytes, the first one's lowest: set where the byte is zero. */
static inline unsigned machine__zero_bytes(const uint8_t *at) {
    typedef char block __attribute__((vector_size(16)));
    block bytes;

    __builtin_memcpy(&bytes, at, sizeof bytes);
    return (unsigned) __builtin_ia32_pmovmskb128((block) (bytes == 0));
}

#endif
