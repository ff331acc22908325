/*
 * The report as JSON, one object a line, every key there and null where unknown: the form that
 * programs rely on. Called by report.c in the host and by the nsdrift command for the lines that it
 * makes itself; knows views alone. No libc; safe wherever the text buffer is.
 */
#ifndef NSD_REPORT_JSON_H
#define NSD_REPORT_JSON_H

#include "base/text.h"
#include "report/view.h"

void as_json__finding(struct nsd_text *text, const struct nsd_view_finding *finding);
void as_json__event(struct nsd_text *text, const struct nsd_view_event *event);
void as_json__thread(struct nsd_text *text, const struct nsd_view_thread *thread);
void as_json__coverage(struct nsd_text *text, const struct nsd_view_coverage *coverage);
/* The exec that the last report was made for came back with this errno. */
void as_json__exec_failed(struct nsd_text *text, const struct nsd_view_image *image,
                          const char *time, const char *error);

#endif
