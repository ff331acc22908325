/*
 * syscall(): asks the table by number and goes on to the next definition with all registers and the
 * stack as they came, or to syscall__decode (by_number.c), which takes the same arguments.
 *
 * vfork, clone and clone3 are asked first how their child comes back (calls/processes.h). A vfork-like
 * child on the caller's stack may write over all that lies below the caller's stack pointer, the
 * return address of this very call included: so the way back is in a block (children.c), the block
 * in rbx, which the kernel keeps apart for parent and child, and the system call is made here: the
 * next definition could not come back from it twice. A vfork-like child on a stack of its own never
 * comes to a frame of ours, but may have been promised the registers that a call preserves: none is
 * touched, and the block waits on the parent's stack.
 */
        .macro  keep_arguments
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        pushq   %rax                    /* of a variadic call; and rsp is aligned now */
        .cfi_adjust_cfa_offset 8
        .endm

        .macro  restore_arguments
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        .endm

        .set    COPIED, 0               /* enum nsd_child */
        .set    SHARES, 1
        .set    APART, 2

        .text
        .globl  syscall
        .type   syscall, @function
syscall:
        .cfi_startproc
        movq    nsd_on@GOTPCREL(%rip), %r11
        cmpb    $0, (%r11)
        je      .Lpass
        cmpq    $512, %rdi
        jae     .Lpass
        leaq    nsd_row_of_number(%rip), %r11
        cmpb    $0, (%r11, %rdi)
        je      .Lpass
        cmpq    $56, %rdi               /* clone */
        je      .Lchild_asked
        cmpq    $58, %rdi               /* vfork */
        je      .Lchild_asked
        cmpq    $435, %rdi              /* clone3 */
        jne     syscall__decode
.Lchild_asked:
        keep_arguments
        movq    %rsp, %rdi
        call    syscall__child
        movl    %eax, %r11d
        cmpl    $SHARES, %r11d
        je      .Lshares
        cmpl    $APART, %r11d
        je      .Lapart
        restore_arguments
        cmpl    $COPIED, %r11d
        je      syscall__decode
.Lpass:
        keep_arguments
        call    syscall__next
        movq    %rax, %r11
        restore_arguments
        jmp     *%r11

.Lshares:
        .cfi_adjust_cfa_offset 56
        movq    %rsp, %rdi
        movq    %rbp, %rsi
        movq    %rbx, %rdx
        call    syscall__before_child
        movq    %rax, %r11
        restore_arguments
        testq   %r11, %r11
        jz      .Lpass
        movq    %r11, %rbx
        addq    $8, %rsp                /* the return address is in the block now */
        .cfi_def_cfa_offset 0
        .cfi_undefined rip
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        movq    %r8, %r10
        movq    %r9, %r8
        syscall
        testq   %rax, %rax
        jz      1f
        pushq   (%rbx)                  /* as the caller's call left it */
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        pushq   8(%rbx)
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        movq    %rbx, %rdi
        movq    %rax, %rsi
        call    syscall__after_child
        popq    %rbx
        .cfi_def_cfa_offset 8
        .cfi_restore rbx
        ret
1:
        .cfi_def_cfa_offset 0
        .cfi_undefined rip
        movq    (%rbx), %rdx
        movq    8(%rbx), %rbx
        jmp     *%rdx

.Lapart:
        .cfi_def_cfa_offset 64
        .cfi_offset rip, -8
        .cfi_restore rbx
        movq    %rsp, %rdi
        movq    %rbp, %rsi
        movq    %rbx, %rdx
        call    syscall__before_child
        movq    %rax, (%rsp)            /* in the place of al, which is not needed */
        restore_arguments
        testq   %rax, %rax
        jz      .Lpass
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        call    *16(%rax)
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        movq    %rax, %rsi
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    syscall__after_call
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   syscall, . - syscall

        .section .note.GNU-stack, "", @progbits
