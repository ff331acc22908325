/*
 * What was watched and what was not: the closing line of every image. Filled by the probes through
 * coverage__probe and coverage__missing (report.h), read by report.c.
 */
#ifndef NSD_REPORT_COVERAGE_H
#define NSD_REPORT_COVERAGE_H

#include "report/report.h"
#include "report/view.h"

/* Everything but time, errors, warnings and notes. Points into `image` and static strings. */
void coverage__view(struct nsd_view_coverage *view, const struct nsd_image *image);

#endif
