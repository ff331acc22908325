/*
 * The question before the start: was this image started under a seccomp filter that would kill it
 * for a system call of ours? Asked by the start alone, before anything else of ours makes one.
 */
#ifndef NSD_START_FILTER_PROBE_H
#define NSD_START_FILTER_PROBE_H

#include <stdbool.h>

/*
 * False: the filter kills for a call that the guest makes, so the guest must stay inert; a line on
 * stderr has said so if that could be done. Without a filter this reads one file of /proc; with one
 * a copy of the process makes each call and ends, unless that copy would be the first process of a
 * new pid namespace. A filter that looks at arguments is not recognised, and neither is one that
 * kills for openat, read, close, mmap, munmap, clone or wait4.
 */
bool filter_probe__permits(void);

#endif
