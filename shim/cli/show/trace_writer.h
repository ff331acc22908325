/*
 * The pieces of a Chrome trace: events with their values, times, and numbers of processes and
 * threads. Called by trace.c and trace_slices.c.
 */
#ifndef NSD_CLI_SHOW_TRACE_WRITER_H
#define NSD_CLI_SHOW_TRACE_WRITER_H

#include "base/text.h"
#include "cli/read/timeline.h"
#include <stdio.h>

struct nsd_trace {
    FILE *out;
    struct nsd_text text;
    char buffer[16 * 1024];
    uint64_t base;  /* nanoseconds since 1970 that are 0 here */
    uint32_t flows; /* so far: their ids */
    bool any;       /* an event was written */
};

/* The image whose events are being written. */
struct nsd_trace_image {
    const struct nsd_timeline *timeline;
    int64_t offset; /* added to its pid and tids */
    uint64_t floor; /* when the image before it in the same process ended */
};

/* Writes what is in the buffer; the sink of `text`. */
void trace__empty(struct nsd_text *text, void *context);

/* An event of the given phase ("X" a slice, "i" an instant, ...), its values, its end. */
void trace__begin_event(struct nsd_trace *trace, const struct nsd_trace_image *image,
                        const char *phase, int32_t tid, const char *name);
void trace__string(struct nsd_trace *trace, const char *key, const char *value);
void trace__number(struct nsd_trace *trace, const char *key, int64_t value);
/* Microseconds, with the nanoseconds behind the point. */
void trace__time(struct nsd_trace *trace, const char *key, uint64_t nanoseconds);
void trace__begin_args(struct nsd_trace *trace);
void trace__end_args(struct nsd_trace *trace);
void trace__end_event(struct nsd_trace *trace);
/* Nanoseconds since the trace began. */
uint64_t trace__since(const struct nsd_trace *trace, const struct nsd_trace_image *image,
                      uint64_t time);

#endif
