/*
 * Prints views as JSON, one object a line. Every key is there, null where its value is unknown:
 * programs rely on this form. Called by report.c in a host and by the command. Knows views alone;
 * no libc; safe wherever the text buffer is.
 */
#ifndef NSD_REPORT_JSON_H
#define NSD_REPORT_JSON_H

#include "base/text.h"
#include "report/view.h"

void as_json__finding(struct nsd_text *text, const struct nsd_view_finding *finding);
void as_json__event(struct nsd_text *text, const struct nsd_view_event *event);
void as_json__thread(struct nsd_text *text, const struct nsd_view_thread *thread);
void as_json__coverage(struct nsd_text *text, const struct nsd_view_coverage *coverage);
/* The exec that the last report was made for failed with this errno. */
void as_json__exec_failed(struct nsd_text *text, const struct nsd_view_image *image,
                          const char *time, const char *error);

#endif
