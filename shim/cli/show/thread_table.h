/*
 * The table of threads over time: who was where. Called by `nsdrift report --threads`.
 */
#ifndef NSD_CLI_SHOW_THREAD_TABLE_H
#define NSD_CLI_SHOW_THREAD_TABLE_H

#include "cli/read/timeline.h"
#include <stdio.h>

/* `width` columns at most, 80 at least. */
void threads__print(FILE *out, const struct nsd_timeline *timeline, unsigned width, bool colour);

#endif
