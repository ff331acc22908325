/*
 * The JSON lines that watched processes leave, read back into views. Called by collect.c and by the
 * subcommands that print. What is missing or of another type in a line is unknown, never an error.
 */
#ifndef NSD_CLI_READ_LINES_H
#define NSD_CLI_READ_LINES_H

#include "report/view.h"
#include <json-c/json.h>

enum nsd_line_type {
    NSD_LINE_OTHER,
    NSD_LINE_FINDING,
    NSD_LINE_COVERAGE,
    NSD_LINE_THREAD,
    NSD_LINE_EVENT,
    NSD_LINE_EXEC_FAILED,
};

struct nsd_line {
    struct json_object *object; /* owned */
    char *text;                 /* as it was written, without the newline; owned */
    enum nsd_line_type type;
    int32_t pid;
    uint64_t pid_ns; /* 0: unknown */
};

/* False for what is no JSON object with a type. */
bool lines__parse(struct nsd_line *line, const char *text, size_t size);
void lines__free(struct nsd_line *line);

/*
 * Strings of a view point into the line's object. Stacks point into one static table: a view is
 * good until the next one is made.
 */
void lines__finding(const struct nsd_line *line, struct nsd_view_finding *view);
void lines__coverage(const struct nsd_line *line, struct nsd_view_coverage *view);
void lines__thread(const struct nsd_line *line, struct nsd_view_thread *view);
void lines__event(const struct nsd_line *line, struct nsd_view_event *view);

#endif
