/*
 * vfork. A C function cannot wrap it: the child returns first and writes over the frame that the
 * parent would return from. So nothing is left on the stack while the child runs: the way back is
 * in a block (children.c), and the block in rbx, which the next definition preserves and the kernel
 * keeps apart for parent and child.
 */
        .text
        .globl  vfork
        .type   vfork, @function
vfork:
        .cfi_startproc
        movq    nsd_on@GOTPCREL(%rip), %rax
        cmpb    $0, (%rax)
        je      .Lpass
        movq    (%rsp), %rdi            /* return address */
        leaq    8(%rsp), %rsi           /* the caller's stack pointer */
        movq    %rbp, %rdx
        movq    %rbx, %rcx
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    vfork__before
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        testq   %rax, %rax
        jz      .Lpass
        movq    %rax, %rbx
        addq    $8, %rsp                /* the return address is in the block now */
        .cfi_def_cfa_offset 0
        .cfi_undefined rip
        call    *16(%rbx)
        testl   %eax, %eax
        jz      .Lchild
        pushq   (%rbx)                  /* as the caller's call left it */
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        pushq   8(%rbx)
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        movq    %rbx, %rdi
        movl    %eax, %esi
        call    vfork__after
        popq    %rbx
        .cfi_def_cfa_offset 8
        .cfi_restore rbx
        ret
.Lchild:
        .cfi_def_cfa_offset 0
        .cfi_undefined rip
        movq    (%rbx), %rdx
        movq    8(%rbx), %rbx
        xorl    %eax, %eax
        jmp     *%rdx
.Lpass:
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        .cfi_restore rbx
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    vfork__next
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        jmp     *%rax
        .cfi_endproc
        .size   vfork, . - vfork

        .section .note.GNU-stack, "", @progbits
