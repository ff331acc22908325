/*
 * shim/start: where the guest begins in an image.
 *
 * In:   the loader's call of the constructor, the jump of `nsdrift run` to the library's entry in a
 *       static program (injection.h), or the first wrapper that runs before the constructor.
 * Out:  every room begun in order (start.c), and nsd_on set, if NSDRIFT=1 is there and the program
 *       is not set-uid; else nothing, or one line on stderr where options are given without the
 *       switch. Later the fresh start of each fork copy.
 * Who:  the loader, the injector, and the wrappers of pthread_create, which call this header.
 * Not:  it runs while the process has one thread, before the program's own code: it must not fail
 *       loudly, keep a descriptor, or change what the program will see.
 */
#ifndef NSD_START_START_H
#define NSD_START_START_H

#include <stdbool.h>

/*
 * Does the constructor's work for a wrapper that is called before it: a library's constructor may
 * run earlier than that of a preloaded object. Does nothing after the first time.
 */
void start__early(void);
/*
 * Stores what a report says about the Go runtime, after the executable or a library was searched
 * for one.
 */
void start__learn_go(bool is_go);

#endif
