/*
 * The report of a whole run: what the images said, printed once, and what it comes to. Called by
 * the subcommands that watched or that read what was watched.
 */
#ifndef NSD_CLI_SHOW_PRESENT_H
#define NSD_CLI_SHOW_PRESENT_H

#include "cli/read/collect.h"
#include <stdbool.h>
#include <stdio.h>

struct nsd_presentation {
    FILE *out; /* NULL: nothing is printed, the exit status alone is wanted */
    bool json;
    bool colour;
    bool strict;        /* what was not seen in children counts as well */
    unsigned severity;  /* the least that is printed: 0 note, 1 warning, 2 error */
    unsigned verbosity; /* as the option of that name */
    /* The program that the run started; pid 0: none was, the recordings are from elsewhere. */
    int32_t pid; /* as the run sees it; the collection knows how the program sees itself */
    const char *program;
    int signal;        /* that ended it, 0 if none did */
    bool known_unseen; /* the user was told already that it cannot be watched */
};

/* Prints, and returns the exit status by the contract. */
int present__report(const struct nsd_presentation *presentation,
                    const struct nsd_collection *collection);

#endif
