/*
 * The entry point in the library's ELF header. `nsdrift run` jumps here with a block in RDI, in a
 * static program that it has put the library into; the breakpoint tells it that this has ended.
 * Without a block the library was run as if it were a program: registers are zero then.
 */
    .text
    .hidden nsd_injected_begin
    .globl  nsd_injected_entry
    .hidden nsd_injected_entry
    .type   nsd_injected_entry, @function
nsd_injected_entry:
    .cfi_startproc
    .cfi_undefined rip
    xorl    %ebp, %ebp
    testq   %rdi, %rdi
    jz      .Lno_program
    andq    $-16, %rsp
    call    nsd_injected_begin
    int3
.Lno_program:
    movl    $1, %eax                /* write */
    movl    $2, %edi
    leaq    .Lwords(%rip), %rsi
    movl    $(.Lwords_end - .Lwords), %edx
    syscall
    movl    $231, %eax              /* exit_group */
    movl    $127, %edi
    syscall
    ud2
    .cfi_endproc
    .size   nsd_injected_entry, . - nsd_injected_entry

    .section .rodata
.Lwords:
    .ascii  "libnsdrift.so is preloaded into programs; try: nsdrift run -- PROGRAM\n"
.Lwords_end:

    .section .note.GNU-stack, "", @progbits
