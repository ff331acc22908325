/*
 * Standard output for a person at a terminal: through a pager, in colour, no wider than the screen.
 * Called by the subcommands that answer on stdout. Into a file or a pipe everything is written as
 * it is.
 */
#ifndef NSD_CLI_SHOW_PAGER_H
#define NSD_CLI_SHOW_PAGER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct nsd_pager {
    FILE *out;      /* write here */
    bool terminal;  /* a person reads it */
    bool colour;    /* colours are wanted: NO_COLOR is obeyed */
    unsigned width; /* columns for tables; 80 if the width is unknown */
    FILE *below;    /* the stream under `out`, if `out` wraps lines */
    pid_t pid;      /* the pager's; 0: there is none */
};

/* The width of the terminal; 0 if `out` is none. */
unsigned pager__width(FILE *out);
/* `paged`: false keeps the terminal without a pager; `wrapped`: lines are broken to its width. */
void pager__begin(struct nsd_pager *pager, bool paged, bool wrapped);
/* Waits until the reader closes the pager. False if something could not be written. */
bool pager__end(struct nsd_pager *pager);

#endif
