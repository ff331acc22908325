/*
 * What the host asks for the signal that signal= took, for the wrappers and for syscall().
 */
#ifndef NSD_PROBES_LIBC_ACTIONS_H
#define NSD_PROBES_LIBC_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* True if the signal is ours: the host's wish then never reaches the kernel. */
bool actions__is_ours(int number);
/* As the system call; a negative errno for a failure. */
long actions__raw(const void *set, void *old, size_t mask_size);

#endif
