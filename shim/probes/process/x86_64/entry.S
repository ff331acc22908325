/*
 * Two things that C cannot say: calling a function on another stack (reports run on one of their
 * own, whatever the host's is like), and the return from a signal handler that was installed
 * without libc. CFI is given so that a debugger can walk through.
 */
        .text

        .globl  on_stack__call
        .hidden on_stack__call
        .type   on_stack__call, @function
on_stack__call: /* void (*function)(void *) rdi, void *argument rsi, void *stack_top rdx */
        .cfi_startproc
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        movq    %rdx, %rsp
        andq    $-16, %rsp
        movq    %rdi, %rax
        movq    %rsi, %rdi
        callq   *%rax
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   on_stack__call, . - on_stack__call

        .globl  signals__return
        .hidden signals__return
        .type   signals__return, @function
signals__return:
        movl    $15, %eax /* rt_sigreturn */
        syscall
        ud2
        .size   signals__return, . - signals__return

        .section .note.GNU-stack, "", @progbits
