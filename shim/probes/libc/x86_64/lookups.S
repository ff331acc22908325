/*
 * dlsym and dlvsym: the loader tells RTLD_NEXT by the return address, so a look-up that is none of
 * ours must reach the next definition as the caller's own call, registers and stack as they came.
 */
        .macro  keep_arguments
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx                    /* and rsp is aligned now */
        .cfi_adjust_cfa_offset 8
        .endm

        .macro  restore_arguments
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        .endm

        .macro  look_up name, next, substitute, function
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        movq    nsd_on@GOTPCREL(%rip), %r11
        cmpb    $0, (%r11)
        je      1f
        keep_arguments
        movq    24(%rsp), %rdx          /* return address */
        call    lookups__wanted
        movl    %eax, %r11d
        restore_arguments
        testl   %r11d, %r11d
        js      1f
        movl    %r11d, \function
        jmp     \substitute
1:
        keep_arguments
        call    \next
        movq    %rax, %r11
        restore_arguments
        jmp     *%r11
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .text
        look_up dlsym, lookups__next_dlsym, lookups__symbol, %edx
        look_up dlvsym, lookups__next_dlvsym, lookups__versioned, %ecx

        .section .note.GNU-stack, "", @progbits
