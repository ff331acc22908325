/*
 * The table of the Go runtime's system calls that are watched, for go.c.
 */
#ifndef NSD_PROBES_GO_HOOK_H
#define NSD_PROBES_GO_HOOK_H

/* At start: fills nsd_go_watch. */
void hook__begin(void);
/* close, dup and the like from now on. */
void hook__watch_descriptors(void);

#endif
