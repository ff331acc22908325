/*
 * What kind of program a file is, by its first pages: asked before an exec whose program may not be
 * watched. Also in vfork children and on hook stacks; changes nothing.
 */
#ifndef NSD_HOST_PROGRAM_FILE_H
#define NSD_HOST_PROGRAM_FILE_H

enum nsd_program_file {
    NSD_FILE_OTHER, /* a script, a loader started by hand, or what cannot be read */
    NSD_FILE_DYNAMIC,
    NSD_FILE_DYNAMIC_GO,
    NSD_FILE_STATIC,
    NSD_FILE_STATIC_GO,
    NSD_FILE_PRIVILEGED, /* set-uid, set-gid or with file capabilities: a preload is ignored */
};

/* `folder` and `path` as execveat takes them, NULL where the path is not known. */
enum nsd_program_file program_file__look(int folder, const char *path);

#endif
