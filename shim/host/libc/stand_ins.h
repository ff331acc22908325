/*
 * What is called where the libc has no such function. Called by next.c.
 */
#ifndef NSD_HOST_LIBC_STAND_INS_H
#define NSD_HOST_LIBC_STAND_INS_H

#include "host/libc/functions.h"

/* The prototype is the generic one of a function that answers in a register; the caller casts. */
void *stand_in__of(enum nsd_function function);

#endif
