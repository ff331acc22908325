/*
 * Writes timelines as Chrome trace events, for Perfetto and chrome://tracing: a track for each
 * thread, slices by namespace and within them by lock, arrows for births and for goroutines that
 * moved to another thread. Called by `nsdrift report --trace`.
 */
#ifndef NSD_CLI_SHOW_TRACE_H
#define NSD_CLI_SHOW_TRACE_H

#include "cli/read/timeline.h"
#include <stdio.h>

void trace__write(FILE *out, const struct nsd_timeline *timelines);

#endif
