/*
 * The host's errno. No libc function but the one that says where it is. For wrappers and stand-ins,
 * after a call that failed.
 */
#ifndef NSD_HOST_LIBC_ERRNO_H
#define NSD_HOST_LIBC_ERRNO_H

/* 0 and nothing where the host has none. */
int host__errno(void);
void host__set_errno(int error);

#endif
