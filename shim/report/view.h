/*
 * Views: what a report says, as plain strings and numbers. compose.c makes them, in the host or
 * over a replayed recording; text.c and json.c print them. One printer for both, so that a report
 * looks the same wherever it is made. Data only.
 */
#ifndef NSD_REPORT_VIEW_H
#define NSD_REPORT_VIEW_H

#include "ledger/image_facts.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One for each kind of namespace; none for the marks private fs and private files. */
#define NSD_VIEW_NAMESPACES 10
#define NSD_VIEW_RELATED 4
#define NSD_VIEW_PROBES 16

/* Strings: NULL where unknown. Inodes: 0 where unknown. */
struct nsd_view_frame {
    const char *function;
    const char *file;
    const char *module;
    const char *build_id;
    uint64_t offset;
    uint32_t line;
};

struct nsd_view_stack {
    const struct nsd_view_frame *frame;
    unsigned depth;
    unsigned left_out; /* frames further out that there was no room for */
};

enum nsd_view_locked { NSD_VIEW_LOCKED_UNKNOWN, NSD_VIEW_LOCKED_NO, NSD_VIEW_LOCKED_YES };

/* The image that a line is about: every line says it. */
struct nsd_view_image {
    int32_t pid;
    uint64_t pid_ns;
    const char *program; /* base name */
};

struct nsd_view_namespace {
    const char *kind;
    uint64_t before, after, home;
};

struct nsd_view_related {
    const char *what;
    int32_t tid;
    int64_t goroutine; /* 0: none or unknown */
    struct nsd_view_stack stack;
};

struct nsd_view_consequence {
    const char *rule;
    const char *severity;
    const char *message;
    int32_t tid;
    int64_t goroutine;
    struct nsd_view_stack stack;
};

/* A call of a finding or of an event, as it was made. */
struct nsd_view_call {
    const char *name;      /* NULL: a state seen at the report, no call */
    const char *arguments; /* NULL: none to show */
    const char *error;     /* name of the errno, NULL if it did not fail */
    int64_t result;
    bool has_result;
};

struct nsd_view_finding {
    struct nsd_view_image image;
    const char *rule;
    const char *severity; /* the worst of it and its consequences */
    const char *message;
    const char *remedy;
    const char *fingerprint;
    const char *time; /* 2026-01-01T00:00:00.000000Z */
    uint32_t count;
    int32_t tid;
    int64_t goroutine;
    bool main_thread;
    enum nsd_view_locked locked;
    const char *lock; /* "external", "cgo", ...: which lock */
    struct nsd_view_call call;
    struct nsd_view_namespace namespaces[NSD_VIEW_NAMESPACES];
    unsigned namespace_count;
    struct nsd_view_stack stack;
    struct nsd_view_related related[NSD_VIEW_RELATED];
    unsigned related_count;
    const struct nsd_view_consequence *consequences;
    unsigned consequence_count;
    unsigned consequences_left_out; /* more that there was no room for */
};

struct nsd_view_event {
    struct nsd_view_image image;
    const char *time;
    int32_t tid;
    int32_t other_tid; /* 0: none */
    int64_t goroutine;
    enum nsd_view_locked locked;
    const char *lock;
    struct nsd_view_call call;
    const char *kinds[NSD_VIEW_NAMESPACES];
    unsigned kind_count;
    struct nsd_view_stack lines; /* of Go code that made the call, innermost first */
};

struct nsd_view_thread {
    struct nsd_view_image image;
    int32_t tid;
    int32_t born_of; /* 0: unknown */
    const char *name;
    bool main_thread;
    int64_t goroutine;
    enum nsd_view_locked locked;
    const char *lock;
    struct nsd_view_stack born_at;
    struct nsd_view_namespace namespaces[NSD_VIEW_NAMESPACES]; /* after: current */
    unsigned namespace_count;
    const char *switched[NSD_VIEW_NAMESPACES + 2];
    unsigned switched_count;
};

struct nsd_view_missing {
    const char *probe;
    const char *why;
};

struct nsd_view_coverage {
    struct nsd_view_image image;
    NSD_PROBE_FACTS(NSD_FACT_IN_MEMORY)
    NSD_COUNT_FACTS(NSD_FACT_IN_MEMORY)
    NSD_STRING_FACTS(NSD_STRING_IN_MEMORY)
    const char *time;
    const char *probes[NSD_VIEW_PROBES];
    unsigned probe_count;
    struct nsd_view_missing missing[NSD_VIEW_PROBES];
    unsigned missing_count;
    uint64_t unnamed; /* names and stacks that found no room in a recording */
    const char *cross_check;
    const char *ended;
    unsigned errors, warnings, notes;
    const char *unjudged; /* why its end was not judged; NULL: it was, or nobody asked */
    bool say_notes;       /* notes were asked for: the closing line counts them */
};

#endif
