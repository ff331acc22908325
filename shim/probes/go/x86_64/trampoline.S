/*
 * What runs between a patched system call of the Go runtime and the hook in C, on x86_64. Entered
 * by a jump from a stub with rcx = its nsd_go_patch, on the goroutine's stack, on which nothing may
 * be pushed: a nosplit chain may have used all of it.
 *
 * Registers. Dead at the SYSCALL instruction of every patched function are rcx and r11 (the kernel
 * destroys them), rbx and r13 (Syscall6 is ABIInternal and writes rbx next; the others are ABI0,
 * where nothing but rsp survives a call) and xmm0-xmm14; r12 holds the return address in
 * rawVforkSyscall. To be kept: rsp, rbp, r14 (g), r15, the argument registers, DF clear, and
 * xmm15, which is zero in Go code (src/cmd/compile/abi-internal.md).
 *
 * The system call is an instruction here, on the goroutine's stack and outside of any C frame: the
 * kernel can restart it after a signal, and a vfork child and its parent both come back from it.
 */
#include "probes/go/hooked_call.h"

#define SCHED_YIELD 24
#define EXIT_GROUP 231
#define TGKILL 234
#define CLONE 56

/* Counted in the upper half of a register: rounds of waiting for a stack. */
#define ROUND 0x100000000
#define SHORT (256 * ROUND)
#define LONG (1048576 * ROUND)

#define ARGUMENT(n) (NSD_GO_CALL_ARGUMENTS + 8 * (n))

    .text

/*
 * Calls \function on a stack from the pool with the picture of the call. \counter is a register
 * whose lower half, \counter_low, is the picture's number and whose upper half is zero; there the
 * rounds of waiting are counted. A stack is taken by exchanging its byte `busy`, and given back by
 * a plain store; which one is tried first comes from the goroutine's own stack, so that the same
 * caller finds a warm one and others look elsewhere. When all are held by hooks that were
 * preempted, yielding lets them end; after \patience the event is lost. \pc loads the return
 * address into r11. Keeps everything but rcx, r11, xmm0, and what the hook changed in the picture.
 */
.macro ON_A_STACK function, patience, counter, counter_low, pc:vararg
    movq    %rax, %xmm0
    movq    %rsp, %r11
    shrl    $13, %r11d
10:
    andl    $(NSD_GO_STACKS - 1), %r11d /* above it: how many were tried */
11:
    movl    %r11d, %ecx
    andl    $(NSD_GO_STACKS - 1), %ecx
    incl    %ecx
    shll    $NSD_GO_STACK_SHIFT, %ecx
    addq    nsd_go_stacks(%rip), %rcx
    subq    $NSD_GO_CALL_SIZE, %rcx
    movl    $1, %eax
    xchgb   %al, NSD_GO_CALL_BUSY(%rcx)
    testb   %al, %al
    jz      12f
    addl    $0x10001, %r11d
    cmpl    $(NSD_GO_STACKS << 16), %r11d
    jb      11b
    movabsq $\patience, %rcx
    testq   %rcx, \counter
    jnz     13f
    movabsq $ROUND, %rcx
    addq    %rcx, \counter
    movl    $SCHED_YIELD, %eax
    syscall
    movq    %rsp, %r11
    shrl    $13, %r11d
    jmp     10b
12:
    movq    %xmm0, %rax
    andl    $(NSD_GO_STACKS - 1), %r11d
    movq    %r11, NSD_GO_CALL_STACK(%rcx)
    \pc
    movq    %r11, NSD_GO_CALL_PC(%rcx)
    movl    \counter_low, %r11d
    movq    %r11, NSD_GO_CALL_NUMBER(%rcx)
    movq    %rdi, ARGUMENT(0)(%rcx)
    movq    %rsi, ARGUMENT(1)(%rcx)
    movq    %rdx, ARGUMENT(2)(%rcx)
    movq    %r10, ARGUMENT(3)(%rcx)
    movq    %r8, ARGUMENT(4)(%rcx)
    movq    %r9, ARGUMENT(5)(%rcx)
    movq    %rax, NSD_GO_CALL_RESULT(%rcx)
    movq    %r14, NSD_GO_CALL_G(%rcx)
    movq    %rsp, NSD_GO_CALL_STACK_POINTER(%rcx)
    movq    %rbp, NSD_GO_CALL_FRAME_POINTER(%rcx)
    movq    %rcx, %rsp
    movq    %rcx, %rdi
    call    \function
    movq    ARGUMENT(0)(%rsp), %rdi
    movq    ARGUMENT(1)(%rsp), %rsi
    movq    ARGUMENT(2)(%rsp), %rdx
    movq    ARGUMENT(3)(%rsp), %r10
    movq    ARGUMENT(4)(%rsp), %r8
    movq    ARGUMENT(5)(%rsp), %r9
    movq    NSD_GO_CALL_RESULT(%rsp), %rax
    movq    %rsp, %rcx
    movq    NSD_GO_CALL_STACK_POINTER(%rsp), %rsp
    movb    $0, NSD_GO_CALL_BUSY(%rcx)
    xorps   %xmm15, %xmm15
    jmp     14f
13:
    movq    %xmm0, %rax
    lock incq nsd_go_without_stack(%rip)
14:
    movl    \counter_low, \counter_low /* the upper half is zero again */
.endm

.macro BEGIN name
    .globl  \name
    .hidden \name
    .type   \name, @function
    .balign 16
\name:
.endm

.macro END name
    .size   \name, . - \name
.endm

/* Syscall6 and its elders: the number is in rax, and rbx and r13 are free. */
BEGIN nsd_go_trampoline_syscall
    movq    %rcx, %rbx
    movl    %eax, %r13d
    leaq    nsd_go_watch(%rip), %r11
    testb   $NSD_GO_BEFORE, (%r11,%r13)
    jz      2f
    ON_A_STACK nsd_go_before, SHORT, %r13, %r13d, movq (%rsp), %r11
    movl    %r13d, %eax
2:
    syscall
    leaq    nsd_go_watch(%rip), %r11
    movzbl  (%r11,%r13), %ecx
    testl   $NSD_GO_AFTER, %ecx
    jz      5f
    testl   $(NSD_GO_PATH_1 | NSD_GO_PATH_2), %ecx
    jz      4f
    /* The kernel has just read this path, and one that it could open has two bytes at least. */
    testq   %rax, %rax
    js      5f
    movq    %rdi, %r11
    testl   $NSD_GO_PATH_2, %ecx
    jz      3f
    movq    %rsi, %r11
3:
    /* Byte after byte, so that nothing behind the path's end is read. */
    movzwl  (%r11), %ecx
    cmpl    $0x702f, %ecx /* "/p" */
    je      4f
    cmpl    $0x762f, %ecx /* "/v" */
    jne     20f
    cmpb    $'a', 2(%r11)
    jne     5f
    cmpb    $'r', 3(%r11)
    jne     5f
    addq    $4, %r11
    cmpb    $'/', (%r11)
    jne     5f
    cmpb    $'r', 1(%r11)
    jne     5f
    jmp     21f
20:
    cmpl    $0x722f, %ecx /* "/r" */
    jne     5f
21: /* "/r", or "/var/r" */
    cmpb    $'u', 2(%r11)
    jne     5f
    cmpb    $'n', 3(%r11)
    jne     5f
    cmpb    $'/', 4(%r11)
    jne     5f
4:
    ON_A_STACK nsd_go_after, SHORT, %r13, %r13d, movq (%rsp), %r11
5:
    cmpq    $-4095, %rax
    jmp     *NSD_GO_PATCH_BACK(%rbx)
END nsd_go_trampoline_syscall

/*
 * rawVforkSyscall: the return address has been popped into r12. The child of CLONE_VM runs through
 * here too, on the same stack and in the same memory, before its parent.
 */
BEGIN nsd_go_trampoline_vfork
    movq    %rcx, %rbx
    movl    %eax, %r13d
    ON_A_STACK nsd_go_before, SHORT, %r13, %r13d, movq %r12, %r11
    movl    %r13d, %eax
    syscall
    /* The parent must clear its mark, or it would be taken for its child from now on: LONG. */
    ON_A_STACK nsd_go_after, LONG, %r13, %r13d, movq %r12, %r11
    pushq   %r12
    cmpq    $-4095, %rax
    jmp     *NSD_GO_PATCH_BACK(%rbx)
END nsd_go_trampoline_vfork

/*
 * A call that may end the image: the two instructions before its SYSCALL, which load an argument
 * from the stack and the number, with the hook between them; then back to the SYSCALL.
 */
.macro TRAMPOLINE_OF_END name, hook, number, argument
BEGIN \name
    movl    $\number, %r13d
    movq    %rcx, %rbx
    movl    8(%rsp), \argument
    ON_A_STACK \hook, SHORT, %r13, %r13d, movq (%rsp), %r11
    movl    $\number, %eax
    jmp     *NSD_GO_PATCH_BACK(%rbx)
END \name
.endm

/* runtime.exit(code int32) */
TRAMPOLINE_OF_END nsd_go_trampoline_exit, nsd_go_exit, EXIT_GROUP, %edi

/* runtime.raise(sig uint32) */
TRAMPOLINE_OF_END nsd_go_trampoline_raise, nsd_go_raise, TGKILL, %edx

/* runtime.exitThread(wait *uint32): before *wait is zeroed, which gives this stack away. */
BEGIN nsd_go_trampoline_exit_thread
    xorl    %r13d, %r13d
    movq    %rcx, %rbx
    ON_A_STACK nsd_go_exit_thread, SHORT, %r13, %r13d, movq (%rsp), %r11
    movq    8(%rsp), %rax
    jmp     *NSD_GO_PATCH_BACK(%rbx)
END nsd_go_trampoline_exit_thread

/*
 * runtime.clone: r13, r9 and r12 carry the child's m, g and fn, and rsi its stack, which the child
 * has in rsp already when it runs through here. All signals are blocked on both sides
 * (runtime.newosproc). rbx carries the birth's token, a copy of which the child has too, so the
 * way back is not in a register.
 */
BEGIN nsd_go_trampoline_clone
    movq    NSD_GO_PATCH_BACK(%rcx), %rcx
    movq    %rcx, clone_back(%rip)
    xorl    %ebx, %ebx
    movq    %r13, %rax
    ON_A_STACK nsd_go_clone_before, SHORT, %rbx, %ebx, movq (%rsp), %r11
    movl    %eax, %ebx
    movl    $CLONE, %eax
    syscall
    testq   %rax, %rax
    jz      6f
    jns     7f
    ON_A_STACK nsd_go_clone_failed, SHORT, %rbx, %ebx, movq (%rsp), %r11
    jmp     7f
6:
    ON_A_STACK nsd_go_clone_born, SHORT, %rbx, %ebx, xorl %r11d, %r11d
    xorl    %eax, %eax
7:
    cmpq    $0, %rax
    jmp     *clone_back(%rip)
END nsd_go_trampoline_clone

/* runtime.rt_sigaction: our own signal is answered by us, every other by the kernel. */
BEGIN nsd_go_trampoline_sigaction
    movq    %rcx, %rbx
    cmpl    nsd_go_signal(%rip), %edi
    je      8f
    syscall
    jmp     9f
8:
    movl    %eax, %r13d
    xorl    %eax, %eax
    ON_A_STACK nsd_go_sigaction, SHORT, %r13, %r13d, movq (%rsp), %r11
9:
    movl    %eax, 0x28(%rsp)
    jmp     *NSD_GO_PATCH_BACK(%rbx)
END nsd_go_trampoline_sigaction

    .local  clone_back
    .comm   clone_back, 8, 8

    .section .note.GNU-stack, "", @progbits
