/*
 * What kind of program a file is, by its first pages: asked before an exec. Also in vfork children
 * and on hook stacks; changes nothing.
 */
#ifndef NSD_HOST_PROGRAM_FILE_H
#define NSD_HOST_PROGRAM_FILE_H

#include <stdbool.h>

enum nsd_program_file {
    NSD_FILE_OTHER, /* a script, a loader started by hand, or what cannot be read */
    NSD_FILE_DYNAMIC,
    NSD_FILE_DYNAMIC_GO,
    NSD_FILE_STATIC,
    NSD_FILE_STATIC_GO,
    NSD_FILE_PRIVILEGED, /* set-uid, set-gid or with file capabilities: a preload is ignored */
};

struct nsd_program_look {
    enum nsd_program_file kind;
    /* Of the interpreter where the file is a script: */
    bool is_foreign; /* of another class or machine than the shim, whose loader would complain */
    bool needs_asan; /* linked against AddressSanitizer's shared runtime */
};

/*
 * `folder` and `path` as execveat takes them, NULL where the path is not known. What cannot be read
 * is NSD_FILE_OTHER and nothing more. NSD_FILE_PRIVILEGED is told only if `asks_rights`.
 */
void program_file__look(int folder, const char *path, bool asks_rights,
                        struct nsd_program_look *look);

/* Whether a file is AddressSanitizer's shared runtime, of gcc or of clang, by its name. */
bool program_file__is_asan(const char *name);
/* As many characters of the name, with a NUL, tell. */
#define PROGRAM_FILE_ASAN_NAME (sizeof "libclang_rt.asan")

#endif
