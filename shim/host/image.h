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
 * A C library runs this program's threads, so the thread pointer in wrappers is libc's. False in a
 * Go program without cgo, where Go owns the thread pointer.
 */
bool image__has_libc(void);
void image__set_libc(bool is_here);
/* Looks the pid namespace's inode up, once, while /proc can be reached. */
void image__learn_pid_namespace(void);

#endif
