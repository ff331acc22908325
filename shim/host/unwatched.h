/*
 * Programs that an exec is about to start and that nobody will hear of: static ones, and those that
 * start where the folder of `nsdrift run` cannot be reached. They are named in its index, which is
 * mapped here. Called before an exec, also in vfork children and on hook stacks; does nothing where
 * there is no such index.
 */
#ifndef NSD_HOST_UNWATCHED_H
#define NSD_HOST_UNWATCHED_H

#include <stdint.h>

/* `folder` and `path` as execveat takes them, NULL where the path is not known. */
void unwatched__note(int folder, const char *path);
/* The same for a program that has been started as process `pid`. */
void unwatched__note_spawned(int folder, const char *path, int32_t pid);
/* The caller's exec came back. */
void unwatched__take_back(void);

#endif
