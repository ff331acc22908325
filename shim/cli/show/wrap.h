/*
 * Breaks lines to the width of a terminal. Called by pager.c and `nsdrift run`. Into a file or a
 * pipe lines stay whole, so that they can be searched.
 */
#ifndef NSD_CLI_SHOW_WRAP_H
#define NSD_CLI_SHOW_WRAP_H

#include <stdio.h>

/*
 * A stream that writes to `out` in lines of at most `width` columns, broken at blanks and continued
 * a little further in than they began; a word that is longer than that stays whole. Closing it
 * writes what is left, and leaves `out` open. NULL without memory.
 */
FILE *wrap__open(FILE *out, unsigned width);

#endif
