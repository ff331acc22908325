/*
 * The library's own file: its path, and whether a program that this process executes now could load
 * it from there. Asked before every exec, also in vfork children and on hook stacks. Opens one
 * descriptor for a moment; memory stays as it was.
 */
#ifndef NSD_HOST_LIBRARY_H
#define NSD_HOST_LIBRARY_H

#include <stdbool.h>

/* At start, while the working directory is still the one of the start. */
void library__learn(void);
/* The absolute path for LD_PRELOAD; "": not known. */
const char *library__path(void);
/* This path, as the caller would open it now, leads to the library. */
bool library__is_at(const char *path);
/*
 * NULL: the next image can load the library by its path. Else why it could not: a static string.
 * The question is asked as the loader will ask it, by opening and mapping: a check of modes would
 * know nothing of Landlock, of mounts with noexec and of other policies.
 */
const char *library__refusal(void);

#endif
