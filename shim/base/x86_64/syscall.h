/*
 * The system call instruction and the machine's few words of its own on x86_64: thread pointer,
 * clock ticks, a pause. Included by base/syscall.h alone. A further machine is a folder beside
 * this one with the same names.
 */
#ifndef NSD_BASE_X86_64_SYSCALL_H
#define NSD_BASE_X86_64_SYSCALL_H

#include <stdint.h>

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

/* Time stamp counter. Constant rate on every machine that containers run on. */
static inline uint64_t machine__ticks(void) {
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t) high << 32) | low;
}

/*
 * The thread pointer (FS base) as the C library keeps it: the first word it points to is itself.
 * Only valid where a C library owns FS: not in a Go program without cgo (go-built threads).
 */
static inline uintptr_t machine__thread_pointer(void) {
    uintptr_t pointer;

    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

static inline void machine__pause(void) {
    __asm__ volatile("pause");
}

#endif
