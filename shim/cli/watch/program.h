/*
 * Looks at a program before it is started: where it is, and whether the library can be preloaded
 * into it at all. Called by the subcommands that start something. Reads files, changes nothing.
 */
#ifndef NSD_CLI_WATCH_PROGRAM_H
#define NSD_CLI_WATCH_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

enum nsd_program_state {
    NSD_PROGRAM_WATCHABLE,
    NSD_PROGRAM_INJECTABLE,  /* static Go: the preload does nothing there, inject.h does it */
    NSD_PROGRAM_UNWATCHABLE, /* it can be started, but the preload does nothing there */
    NSD_PROGRAM_ABSENT,      /* it cannot be started */
};

struct nsd_program {
    enum nsd_program_state state;
    char path[PATH_MAX];  /* of what execvp would start */
    char image[PATH_MAX]; /* of the ELF file that runs: path itself, or a script's interpreter */
    char why[PATH_MAX + 128]; /* for the user, where it is not watchable */
    bool needs_asan;          /* linked against AddressSanitizer's shared runtime */
};

/* By a preload or by an injection. */
bool program__can_be_watched(const struct nsd_program *program);
void program__look(struct nsd_program *program, const char *name);

#endif
