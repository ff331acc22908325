/*
 * Programs that an exec is about to start and that nobody will watch, because they are statically
 * linked: they are named in the index of `nsdrift run`. Called before an exec, also in vfork
 * children and on hook stacks; does nothing where there is no such index.
 */
#ifndef NSD_PROBES_PROCESS_STATIC_CHILD_H
#define NSD_PROBES_PROCESS_STATIC_CHILD_H

#include <stdint.h>

/*
 * `folder` and `path` as execveat takes them, NULL where the path is not known. `pid` is that of
 * the process that becomes the program, 0: the caller's.
 */
void static_child__note(int folder, const char *path, int32_t pid);
/* The caller's exec came back. */
void static_child__take_back(void);

#endif
