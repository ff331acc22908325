/*
 * The report room: turns findings, threads and coverage into text or JSON. Findings, the ledger and
 * the facts of the image come in; lines on stderr or in log_path go out. The path is: compose.c
 * makes views (view.h), text.c and json.c print them, log.c writes the bytes.
 * Called by the intake at every end of an image and on the signal, on a stack of its own, under the
 * ledger's lock. The command calls compose.c and the printers over a replayed recording, so that a
 * report looks the same wherever it is made. Must not use libc, allocate, wait for longer than a
 * second or raise a signal in the host; raw system calls only.
 */
#ifndef NSD_REPORT_REPORT_H
#define NSD_REPORT_REPORT_H

#include "report/coverage.h"
#include "report/image.h"
#include "rules/rules.h"

/* NO_COLOR is in the environment and not empty. Set by start.c before report__begin. */
extern bool nsd_report_no_color;

/*
 * After nsd_options are parsed: remembers what descriptor 2 is, tries whether log_path can be
 * written (complains if not), prints the table of options for help=1.
 */
void report__begin(void);
/* `ledger`: NULL where it cannot be read; the table of threads is left out then. */
void report__write(struct nsd_ledger *ledger, struct nsd_findings *findings,
                   struct nsd_image *image);
/* verbosity=3: prints one line for an event at once. */
void report__event(const struct nsd_event *event, const struct nsd_image *image);
/*
 * The exec that the last report was made for failed: prints {"type":"exec-failed"}. Under the lock.
 */
void report__exec_failed(int64_t error, const struct nsd_image *image);
/* One line on stderr at start: a bad option and the like. */
void report__complain(const char *line);
/* The number of errors and warnings in the last report of this image, for exitcode=. */
unsigned report__faults(void);

#endif
