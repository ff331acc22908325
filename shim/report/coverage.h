/*
 * What was watched and what was not: the closing line of every image. The probes call
 * coverage__probe and coverage__missing while they start; report.c and the recording read it.
 */
#ifndef NSD_REPORT_COVERAGE_H
#define NSD_REPORT_COVERAGE_H

#include "report/image.h"
#include "report/view.h"

/* Adds a probe that is in place, or one that is missing. Static strings, at most 16 of each. */
void coverage__probe(const char *probe);
void coverage__missing(const char *probe, const char *why);

/*
 * Fills in everything but time, errors, warnings and notes. The view points into `image` and to
 * static strings.
 */
void coverage__view(struct nsd_view_coverage *view, const struct nsd_image *image);

#endif
