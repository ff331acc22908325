/*
 * Programs that an exec is about to start and that will not be watched: static programs, and
 * programs that start where the folder of `nsdrift run` cannot be reached. Their names go into the
 * run's index, which this process has mapped. Called before an exec, also in vfork children and on
 * hook stacks; does nothing without an index.
 */
#ifndef NSD_HOST_UNWATCHED_H
#define NSD_HOST_UNWATCHED_H

#include <stdint.h>

/* `folder` and `path` as execveat takes them; a NULL path is not known. */
void unwatched__note(int folder, const char *path);
/* The same after a spawn: the program runs as process `pid`. */
void unwatched__note_spawned(int folder, const char *path, int32_t pid);
/* The caller's exec came back. */
void unwatched__take_back(void);

#endif
