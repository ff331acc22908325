/*
 * Turns findings, threads and coverage into text or JSON, and brings it to the log. Called by
 * probes/submit.c at every end of an image and on the signal, on a stack of its own, under the
 * ledger's lock. Raw system calls only.
 */
#ifndef NSD_REPORT_REPORT_H
#define NSD_REPORT_REPORT_H

#include "report/coverage.h"
#include "report/image.h"
#include "rules/rules.h"

/* NO_COLOR is in the environment (and not empty): set before report__begin by who reads it. */
extern bool nsd_report_no_color;

/*
 * Once nsd_options are parsed: remembers what descriptor 2 is, tries log_path out (a complaint at
 * most), prints the table of options for help=1.
 */
void report__begin(void);
void report__write(struct nsd_ledger *ledger, struct nsd_findings *findings,
                   struct nsd_image *image);
/* verbosity=3: one line for an event, at once. */
void report__event(const struct nsd_event *event, const struct nsd_image *image);
/* The exec that the last report was made for came back: {"type":"exec-failed"}. Under the lock. */
void report__exec_failed(int64_t error, const struct nsd_image *image);
/* One line on stderr at start: a bad option and the like. */
void report__complain(const char *line);
/* Errors and warnings of the last report of this image, for exitcode=. */
unsigned report__faults(void);

#endif
