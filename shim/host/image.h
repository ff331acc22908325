/*
 * This process image as the constructor found it: program, ids, what can be watched. Filled at
 * start, and again in a fork copy. Read by submit.c, by facts.c and by the probes.
 */
#ifndef NSD_HOST_IMAGE_H
#define NSD_HOST_IMAGE_H

#include "report/report.h"
#include <stdbool.h>
#include <stdint.h>

/* The facts that a report prints. submit.c keeps the counters up to date. */
extern struct nsd_image nsd_image;

/*
 * Does what the constructor does, for code that runs before it: the constructor of another library
 * may run earlier than that of a preloaded object. A second call does nothing.
 */
void image__begin_early(void);
/* A Go runtime may have come with a library: stores what a report says about it. */
void image__learn_go(bool is_go);
/*
 * True if a C library runs this program's threads, so that its thread pointer is valid in wrappers.
 * Wrappers are only reached from C code, but a Go program without cgo calls none.
 */
bool image__has_libc(void);
void image__set_libc(bool is_here);
/* Looks up the inode of the pid namespace once, while /proc can be reached. */
void image__learn_pid_namespace(void);

#endif
