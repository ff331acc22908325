/*
 * The libc probe as the constructor sees it.
 */
#ifndef NSD_PROBES_LIBC_LIBC_H
#define NSD_PROBES_LIBC_LIBC_H

#include <stdbool.h>

/*
 * While the process has one thread: says in the coverage what is watched. False if there is no C
 * library here (a Go program of its own kind, an injected static one).
 */
bool libc__begin(void);

#endif
