/*
 * Standard output as a person at a terminal wants it: through a pager, in colour, no wider than the
 * screen. Called by the subcommands whose answer is on stdout; where that is a file or a pipe,
 * nothing of this happens.
 */
#ifndef NSD_CLI_SHOW_PAGER_H
#define NSD_CLI_SHOW_PAGER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct nsd_pager {
    FILE *out;      /* write here */
    bool terminal;  /* a person reads it */
    bool colour;    /* and wants colours: NO_COLOR is obeyed */
    unsigned width; /* columns to fit tables into: 80 where nobody says how many there are */
    FILE *below;    /* what out writes to, where it wraps lines */
    pid_t pid;      /* of the pager, 0: none */
};

/* Of the terminal that `out` is; 0: it is none. */
unsigned pager__width(FILE *out);
/* `paged`: false keeps the terminal without a pager; `wrapped`: lines are broken to its width. */
void pager__begin(struct nsd_pager *pager, bool paged, bool wrapped);
/* Waits until the reader has seen enough. False if something could not be written. */
bool pager__end(struct nsd_pager *pager);

#endif
