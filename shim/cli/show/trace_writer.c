/*
 * Writing of trace events, see trace_writer.h.
 */
#include "cli/show/trace_writer.h"

void trace__empty(struct nsd_text *text, void *context) {
    fwrite(text->buffer, 1, text->used, context);
    text->used = 0;
}

void trace__string(struct nsd_trace *trace, const char *key, const char *value) {
    text__put(&trace->text, ",\"");
    text__put(&trace->text, key);
    text__put(&trace->text, "\":");
    text__json_string(&trace->text, value);
}

void trace__number(struct nsd_trace *trace, const char *key, int64_t value) {
    text__put(&trace->text, ",\"");
    text__put(&trace->text, key);
    text__put(&trace->text, "\":");
    text__signed(&trace->text, value);
}

void trace__time(struct nsd_trace *trace, const char *key, uint64_t nanoseconds) {
    char fraction[5] = {'.', (char) ('0' + nanoseconds / 100 % 10),
                        (char) ('0' + nanoseconds / 10 % 10), (char) ('0' + nanoseconds % 10), 0};

    trace__number(trace, key, (int64_t) (nanoseconds / 1000));
    text__put(&trace->text, fraction);
}

void trace__begin_event(struct nsd_trace *trace, const struct nsd_trace_image *image,
                        const char *phase, int32_t tid, const char *name) {
    text__put(&trace->text, trace->any ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    trace->any = true;
    text__put(&trace->text, phase);
    text__put_char(&trace->text, '"');
    trace__number(trace, "pid", image->timeline->pid + image->offset);
    trace__number(trace, "tid", tid + image->offset);
    trace__string(trace, "name", name);
}

void trace__end_event(struct nsd_trace *trace) {
    text__put_char(&trace->text, '}');
}

void trace__begin_args(struct nsd_trace *trace) {
    text__put(&trace->text, ",\"args\":{\"nsdrift\":1");
}

void trace__end_args(struct nsd_trace *trace) {
    text__put_char(&trace->text, '}');
}

uint64_t trace__since(const struct nsd_trace *trace, const struct nsd_trace_image *image,
                      uint64_t time) {
    if (time < image->floor)
        time = image->floor;
    return time > trace->base ? time - trace->base : 0;
}
