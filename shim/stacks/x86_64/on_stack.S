/*
 * What C cannot say: calling a function on another stack (on_stack.h). CFI is given so that a
 * debugger can walk through.
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

        .section .note.GNU-stack, "", @progbits
