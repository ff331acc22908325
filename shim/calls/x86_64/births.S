/*
 * The start routine in place of the host's: what there is to do is done, then the host's own begins
 * on the stack as libc left it, by a jump, so that its frames lie and are seen where they would
 * without us (ASan remembers frames by their place), and its result is libc's at once.
 */
        .text
        .globl  births__start
        .hidden births__start
        .type   births__start, @function
births__start:
        .cfi_startproc
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    births__born           /* the routine in rax, its argument in rdx */
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        movq    %rdx, %rdi
        jmp     *%rax
        .cfi_endproc
        .size   births__start, . - births__start

        .section .note.GNU-stack, "", @progbits
