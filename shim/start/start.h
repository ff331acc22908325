/*
 * The start of the guest, for wrappers that may be reached before the constructor, and for a Go
 * runtime that comes with a library. Called by shim/probes/libc.
 */
#ifndef NSD_START_START_H
#define NSD_START_START_H

#include <stdbool.h>

/*
 * What the constructor does, for a wrapper that comes before it: a library's own constructor may
 * run earlier than that of a preloaded object. Nothing after the first time.
 */
void start__early(void);
/* A Go runtime was looked for, in the executable or in a library: what a report says of it. */
void start__learn_go(bool is_go);

#endif
