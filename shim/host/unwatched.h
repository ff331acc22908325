/*
 * Programs that an exec is about to start and that will not be watched: static and privileged
 * programs, programs that cannot load the library, and programs that start where the folder of
 * `nsdrift run` cannot be reached. Their names go into the run's index, which this process has
 * mapped. Called before an exec, also in vfork children and on hook stacks; does nothing without an
 * index.
 */
#ifndef NSD_HOST_UNWATCHED_H
#define NSD_HOST_UNWATCHED_H

#include "host/environment.h"
#include <stdint.h>

/* `path` as the exec takes it, NULL: not known; `next`: what was seen there. */
void unwatched__note(const char *path, const struct nsd_next_image *next);
/* The same after a spawn: the program runs as process `pid`. */
void unwatched__note_spawned(const char *path, const struct nsd_next_image *next, int32_t pid);
/* The caller's exec came back. */
void unwatched__take_back(void);

#endif
