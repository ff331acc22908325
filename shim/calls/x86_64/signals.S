/*
 * What C cannot say: the return from a signal handler that was installed without libc.
 */
        .text

        .globl  signals__return
        .hidden signals__return
        .type   signals__return, @function
signals__return:
        movl    $15, %eax /* rt_sigreturn */
        syscall
        ud2
        .size   signals__return, . - signals__return

        .section .note.GNU-stack, "", @progbits
