/*
 * What the table of calls (calls/table.h) and the meanings of clone need to know of x86_64. Every
 * machine has a file of this name.
 */
#ifndef NSD_CALLS_MACHINE_H
#define NSD_CALLS_MACHINE_H

/*
 * The old calls have numbers here (arch/x86/entry/syscalls/syscall_64.tbl). A machine that has only
 * the list of include/uapi/asm-generic/unistd.h (aarch64) takes LIBRARY.
 */
#define NSD_OLD_CALL(KERNEL, LIBRARY) KERNEL

/*
 * The order of clone's arguments: kernel/fork.c, SYSCALL_DEFINE5(clone) without
 * CONFIG_CLONE_BACKWARDS.
 */
enum { NSD_CLONE_FLAGS, NSD_CLONE_STACK, NSD_CLONE_PARENT, NSD_CLONE_CHILD, NSD_CLONE_TLS };

#endif
