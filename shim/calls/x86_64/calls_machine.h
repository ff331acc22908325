/*
 * The order of clone's arguments on x86_64 (kernel/fork.c, SYSCALL_DEFINE5(clone) without
 * CONFIG_CLONE_BACKWARDS). Every machine has a file of this name.
 */
#ifndef NSD_CALLS_MACHINE_H
#define NSD_CALLS_MACHINE_H

enum { NSD_CLONE_FLAGS, NSD_CLONE_STACK, NSD_CLONE_PARENT, NSD_CLONE_CHILD, NSD_CLONE_TLS };

#endif
