/*
 * Prints views as text, in the form that sanitizers have made familiar: `==pid==nsdrift: ...`.
 * Called by report.c in a host and by the command. Knows views alone; no libc; safe wherever the
 * text buffer is.
 */
#ifndef NSD_REPORT_TEXT_H
#define NSD_REPORT_TEXT_H

#include "base/text.h"
#include "report/view.h"

void as_text__finding(struct nsd_text *text, const struct nsd_view_finding *finding, bool colour);
void as_text__event(struct nsd_text *text, const struct nsd_view_event *event);
void as_text__thread(struct nsd_text *text, const struct nsd_view_thread *thread);
void as_text__coverage(struct nsd_text *text, const struct nsd_view_coverage *coverage);
/* unshare(CLONE_NEWNS) = 0 */
void as_text__call(struct nsd_text *text, const struct nsd_view_call *call);
/* ==pid==nsdrift: */
void as_text__prefix(struct nsd_text *text, int32_t pid);
/*
 * Where a frame stands, briefly: "launcher.go:21", "visit (host+0x101e)" or "host+0x101e". The file
 * is told by the shortest tail that no other file of these stacks ends with.
 */
void as_text__frame_line(struct nsd_text *text, const struct nsd_view_frame *frame,
                         const struct nsd_view_stack *const *stacks, unsigned count);

#endif
