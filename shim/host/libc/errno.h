/*
 * The host's errno. Called by wrappers and stand-ins after a call that failed. Calls one function
 * of libc, __errno_location.
 */
#ifndef NSD_HOST_LIBC_ERRNO_H
#define NSD_HOST_LIBC_ERRNO_H

/* 0 and nothing where the host has none. */
int host__errno(void);
void host__set_errno(int error);

#endif
