/*
 * What comes before an exit, for the wrappers of those names and for syscall().
 */
#ifndef NSD_PROBES_LIBC_EXITS_H
#define NSD_PROBES_LIBC_EXITS_H

#include "calls/observe.h"

/*
 * Before the process ends at once (_exit, exit_group): the report is made. Returns the status to
 * leave with.
 */
int exits__at_once(enum nsd_call call, const struct nsd_site *site, int status);
/* Before a thread leaves without libc's knowledge (the exit system call itself). */
int exits__thread(const struct nsd_site *site, int status);

#endif
