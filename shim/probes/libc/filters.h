/*
 * A seccomp filter of the host's is about to be set or stands, for prctl and syscall().
 */
#ifndef NSD_PROBES_LIBC_FILTERS_H
#define NSD_PROBES_LIBC_FILTERS_H

#include <stdbool.h>

/* Before the call: what can only be asked now. */
void filters__before(void);
/* After it has succeeded: from now on no call that the host does not make itself. */
void filters__set(void);

#endif
