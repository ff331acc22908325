/*
 * Looking up a next definition where there is no module table: before the constructor has run, and
 * for good where the shim is off, which may map nothing and open nothing. names/modules.h does it
 * everywhere else.
 */
#ifndef NSD_HOST_LIBC_FIRST_LOOK_H
#define NSD_HOST_LIBC_FIRST_LOOK_H

/* The default definition after the shim in the order in which the loader searches; NULL if none. */
void *first_look__definition(const char *name);

#endif
