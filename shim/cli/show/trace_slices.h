/*
 * The slices of a trace: for each thread where it stands over time, and below that how it is
 * locked. Called by trace.c.
 */
#ifndef NSD_CLI_SHOW_TRACE_SLICES_H
#define NSD_CLI_SHOW_TRACE_SLICES_H

#include "cli/show/trace_writer.h"

/* Every thread of the image. Without memory there are no slices. */
void trace__lives(struct nsd_trace *trace, const struct nsd_trace_image *image);

#endif
