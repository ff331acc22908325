/*
 * Programs that an exec is about to start where the folder of `nsdrift run` cannot be reached: the
 * library will be loaded there and can tell nobody. They are named in the index, which is mapped
 * here. Called before an exec, also in vfork children and on hook stacks; does nothing where there
 * is no such index.
 */
#ifndef NSD_PROBES_PROCESS_HIDDEN_CHILD_H
#define NSD_PROBES_PROCESS_HIDDEN_CHILD_H

/* `folder` and `path` as execveat takes them, NULL where the path is not known. */
void hidden_child__note(int folder, const char *path);
/* The caller's exec came back. */
void hidden_child__take_back(void);

#endif
