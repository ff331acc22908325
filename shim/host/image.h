/*
 * This process image as the constructor found it: program, ids, what it can do. Started once, and
 * anew in a fork copy. Read by submit.c, the report's facts and the probes.
 */
#ifndef NSD_HOST_IMAGE_H
#define NSD_HOST_IMAGE_H

#include "report/report.h"
#include <stdbool.h>
#include <stdint.h>

/* The facts that a report prints; submit.c keeps its counters up to date. */
extern struct nsd_image nsd_image;

/*
 * What the constructor does, for whoever comes before it: a library's own constructor may run
 * earlier than that of a preloaded object. Nothing after the first time.
 */
void image__begin_early(void);
/* A Go runtime may have come with a library: what a report says of it. */
void image__learn_go(bool is_go);
/*
 * A C library runs this program's threads, so that its thread pointer is valid in wrappers (they
 * are only reached from C code, but a Go program without cgo calls none).
 */
bool image__has_libc(void);
void image__set_libc(bool is_here);
/* The pid namespace's inode for the report, looked up once while /proc can be reached. */
void image__learn_pid_namespace(void);

#endif
