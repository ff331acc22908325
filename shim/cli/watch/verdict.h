/*
 * The exit status of `nsdrift run`, as one table: what was found, whether all of it was judged, how
 * the program ended and which status was asked for come in; a status comes out. Called by the
 * subcommands that start programs. Pure: it reads nothing and prints nothing.
 */
#ifndef NSD_CLI_WATCH_VERDICT_H
#define NSD_CLI_WATCH_VERDICT_H

#include <stdbool.h>

/* X(name, the word after --exit-status=). The first is the default and has no word. */
#define NSD_STATUS_MODES(X)                                                                        \
    X(PROGRAM_OR_FINDINGS, "")                                                                     \
    X(FINDINGS, "findings")                                                                        \
    X(BISECT, "bisect")                                                                            \
    X(PROGRAM, "program")

enum nsd_status_mode {
#define MODE(name, word) NSD_MODE_##name,
    NSD_STATUS_MODES(MODE)
#undef MODE
        NSD_STATUS_MODE_COUNT
};

/* Reads the word after --exit-status=. False if there is no such word. */
bool verdict__mode(const char *word, enum nsd_status_mode *mode);

/* What the report says of all images together. */
enum nsd_judgement {
    NSD_JUDGED_CLEAN,   /* no error, no warning, and everything that counts was watched */
    NSD_JUDGED_FOUND,   /* at least one error or warning */
    NSD_JUDGED_NOT_ALL, /* no error and no warning, but something that counts was not judged */
};

/*
 * The status that `nsdrift run` ends with. `wait_status`: of the program, as waitpid gives it.
 */
int verdict__status(enum nsd_judgement judgement, int wait_status, enum nsd_status_mode mode);
/* The status that a shell would give for it: the program's own, or 128+N for a signal. */
int verdict__of_program(int wait_status);

#endif
