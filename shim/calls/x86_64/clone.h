/*
 * The order of clone's arguments on x86_64 (kernel/fork.c, SYSCALL_DEFINE5(clone) without
 * CONFIG_CLONE_BACKWARDS). Included by calls/processes.h alone.
 */
#ifndef NSD_CALLS_X86_64_CLONE_H
#define NSD_CALLS_X86_64_CLONE_H

enum { NSD_CLONE_FLAGS, NSD_CLONE_STACK, NSD_CLONE_PARENT, NSD_CLONE_CHILD, NSD_CLONE_TLS };

#endif
