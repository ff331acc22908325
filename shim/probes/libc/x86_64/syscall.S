/*
 * syscall(): asks the table by number and goes on to the next definition with all registers and the
 * stack as they came, or to by_number.c, whose function takes the same arguments in the same places.
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
        leaq    syscall_rows(%rip), %r11
        cmpb    $0, (%r11, %rdi)
        je      .Lpass
        cmpq    $56, %rdi               /* clone */
        je      .Lclone
        cmpq    $435, %rdi              /* clone3 */
        jne     syscall__decode
.Lclone:
        keep_arguments
        call    syscall__shares_memory
        movl    %eax, %r11d
        restore_arguments
        testb   %r11b, %r11b
        jz      syscall__decode
.Lpass:
        keep_arguments
        call    syscall__next
        movq    %rax, %r11
        restore_arguments
        jmp     *%r11
        .cfi_endproc
        .size   syscall, . - syscall

        .section .note.GNU-stack, "", @progbits
