/*
 * The show room: a collection or a timeline comes in, text goes out: reports (this file) in one of
 * the forms of form.h, the table of threads (thread_table.h), the trace (trace.h), for a terminal
 * with pager and wrapped lines (pager.h, wrap.h).
 * Called by the subcommands. Reads no recording and changes nothing in a collection. This file:
 * prints the report of a whole run and says whether all of it was judged.
 */
#ifndef NSD_CLI_SHOW_PRESENT_H
#define NSD_CLI_SHOW_PRESENT_H

#include "cli/read/gaps.h"
#include "cli/show/form.h"
#include "cli/watch/verdict.h"
#include <stdbool.h>
#include <stdio.h>

struct nsd_presentation {
    FILE *out; /* NULL: print nothing, only work out the exit status */
    enum nsd_form_number form;
    bool colour;
    bool strict;        /* children that were not watched count as well */
    unsigned severity;  /* the least that is printed: 0 note, 1 warning, 2 error */
    unsigned verbosity; /* as the option of that name */
    /* The program that the run started; pid 0: none was, the recordings are from elsewhere. */
    struct nsd_ending ending;
    const char *program;
};

/* Prints, and returns what the images say together. */
enum nsd_judgement present__report(const struct nsd_presentation *presentation,
                                   const struct nsd_collection *collection);

#endif
