/*
 * Writes a trace, see trace.h: names of processes and threads, slices (trace_slices.c), calls and
 * findings as instants, arrows for births and migrations.
 */
#include "cli/show/trace.h"
#include "cli/show/trace_slices.h"
#include "cli/show/trace_writer.h"
#include <stdlib.h>
#include <string.h>

/*
 * Added to the pid and tids of a process whose pid another pid namespace has used: a viewer needs
 * unique numbers. It is more than the kernel's highest pid (2^22), and so small that hundreds of
 * namespaces fit into a viewer's 32 bits.
 */
#define NEXT_NAMESPACE 5000000

/* ---- names of processes and threads ---- */

static void put_name(struct nsd_trace *trace, const struct nsd_trace_image *image, int32_t tid,
                     const char *what, const char *name) {
    trace__begin_event(trace, image, "M", tid, what);
    text__put(&trace->text, ",\"args\":{\"name\":");
    text__json_string(&trace->text, name);
    trace__end_args(trace);
    trace__end_event(trace);
}

static void put_order(struct nsd_trace *trace, const struct nsd_trace_image *image, int32_t tid,
                      const char *what, int64_t order) {
    trace__begin_event(trace, image, "M", tid, what);
    text__put(&trace->text, ",\"args\":{\"sort_index\":");
    text__signed(&trace->text, order);
    trace__end_args(trace);
    trace__end_event(trace);
}

static void put_names(struct nsd_trace *trace, const struct nsd_trace_image *image, int64_t order) {
    const struct nsd_timeline *timeline = image->timeline;
    char name[64];

    put_name(trace, image, timeline->pid, "process_name", timeline->program);
    put_order(trace, image, timeline->pid, "process_sort_index", order);
    for (uint32_t i = 0; i < timeline->lives; i++) {
        const struct nsd_life *life = &timeline->life[i];

        snprintf(name, sizeof name, "thread %d%s", life->tid, life->main_thread ? " (main)" : "");
        put_name(trace, image, life->tid, "thread_name", name);
        put_order(trace, image, life->tid, "thread_sort_index", i);
    }
}

/* ---- what happened ---- */

static void put_instant(struct nsd_trace *trace, const struct nsd_trace_image *image, int32_t tid,
                        const char *category, const char *name, uint64_t time,
                        const char *detail_key, const char *detail) {
    trace__begin_event(trace, image, "i", tid, name);
    trace__time(trace, "ts", trace__since(trace, image, time));
    trace__string(trace, "s", "t");
    trace__string(trace, "cat", category);
    trace__begin_args(trace);
    if (detail != NULL)
        trace__string(trace, detail_key, detail);
    trace__end_args(trace);
    trace__end_event(trace);
}

static void put_instants(struct nsd_trace *trace, const struct nsd_trace_image *image) {
    const struct nsd_timeline *timeline = image->timeline;

    for (uint32_t i = 0; i < timeline->moments; i++) {
        const struct nsd_moment *moment = &timeline->moment[i];

        put_instant(trace, image, timeline->life[moment->life].tid,
                    moment->failed ? "failed call" : "call",
                    moment->what != NULL ? moment->what : "?", moment->time, "at", moment->at);
    }
    for (uint32_t i = 0; i < timeline->findings; i++) {
        const struct nsd_timeline_finding *finding = &timeline->finding[i];

        if (finding->rule == NULL || finding->severity == NULL)
            continue;
        put_instant(trace, image, finding->tid, finding->severity, finding->rule, finding->time,
                    "message", finding->message);
    }
}

static void put_flow(struct nsd_trace *trace, const struct nsd_trace_image *image,
                     const char *category, const char *name, int32_t from_tid, uint64_t from,
                     int32_t to_tid, uint64_t to) {
    uint32_t id = ++trace->flows;

    if (to < from)
        to = from;
    trace__begin_event(trace, image, "s", from_tid, name);
    trace__time(trace, "ts", trace__since(trace, image, from));
    trace__number(trace, "id", id);
    trace__string(trace, "cat", category);
    trace__end_event(trace);
    trace__begin_event(trace, image, "f", to_tid, name);
    trace__time(trace, "ts", trace__since(trace, image, to));
    trace__number(trace, "id", id);
    trace__string(trace, "bp", "e"); /* binds to the slice around it, not to the next one */
    trace__string(trace, "cat", category);
    trace__end_event(trace);
}

static void put_births(struct nsd_trace *trace, const struct nsd_trace_image *image) {
    const struct nsd_timeline *timeline = image->timeline;

    for (uint32_t i = 0; i < timeline->lives; i++) {
        const struct nsd_life *life = &timeline->life[i], *parent;
        uint64_t created;

        if (life->parent == 0 || life->parent > timeline->lives)
            continue;
        parent = &timeline->life[life->parent - 1];
        created = life->created != 0 ? life->created : life->began;
        if (created < parent->began || created > parent->ended)
            continue;
        put_flow(trace, image, "birth", "birth", parent->tid, created, life->tid, life->began);
    }
}

/* The last moment of each goroutine; open addressing, twice as many rows as goroutines. */
struct sighting {
    int64_t goroutine;
    const struct nsd_moment *moment;
};

static void put_migrations(struct nsd_trace *trace, const struct nsd_trace_image *image) {
    const struct nsd_timeline *timeline = image->timeline;
    size_t rows = 2 * (size_t) timeline->moments + 1;
    struct sighting *seen = timeline->has_locks ? calloc(rows, sizeof *seen) : NULL;
    char name[64];

    for (uint32_t i = 0; seen != NULL && i < timeline->moments; i++) {
        const struct nsd_moment *moment = &timeline->moment[i];
        size_t at = (size_t) moment->goroutine * 0x9e3779b97f4a7c15u % rows;

        if (moment->goroutine == 0)
            continue;
        while (seen[at].goroutine != 0 && seen[at].goroutine != moment->goroutine)
            at = (at + 1) % rows;
        if (seen[at].goroutine != 0 && seen[at].moment->life != moment->life) {
            snprintf(name, sizeof name, "goroutine %lld", (long long) moment->goroutine);
            put_flow(trace, image, "migration", name, timeline->life[seen[at].moment->life].tid,
                     seen[at].moment->time, timeline->life[moment->life].tid, moment->time);
        }
        seen[at].goroutine = moment->goroutine;
        seen[at].moment = moment;
    }
    free(seen);
}

/* ---- the whole ---- */

static bool same_process(const struct nsd_timeline *a, const struct nsd_timeline *b) {
    return a->pid == b->pid && a->pid_ns == b->pid_ns;
}

/* The processes in the trace, each once, by pid and then by pid namespace. */
struct process {
    uint64_t pid_ns;
    int32_t pid;
};

static int by_pid(const void *left, const void *right) {
    const struct process *a = left, *b = right;

    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    if (a->pid_ns != b->pid_ns)
        return a->pid_ns < b->pid_ns ? -1 : 1;
    return 0;
}

struct processes {
    struct process *process;
    size_t count;
};

static struct processes list_processes(const struct nsd_timeline *timelines) {
    struct processes list = {.process = NULL};
    size_t count = 0, unique = 0;

    for (const struct nsd_timeline *one = timelines; one != NULL; one = one->next)
        count++;
    list.process = calloc(count + 1, sizeof *list.process);
    if (list.process == NULL)
        return list;
    for (const struct nsd_timeline *one = timelines; one != NULL; one = one->next)
        list.process[list.count++] = (struct process){.pid_ns = one->pid_ns, .pid = one->pid};
    qsort(list.process, list.count, sizeof *list.process, by_pid);
    for (size_t i = 0; i < list.count; i++) {
        if (i == 0 || by_pid(&list.process[i], &list.process[unique - 1]) != 0)
            list.process[unique++] = list.process[i];
    }
    list.count = unique;
    return list;
}

/* What is added to the numbers of this process, by the order of the pid namespaces with its pid. */
static int64_t offset_of(const struct processes *list, const struct nsd_timeline *timeline) {
    const struct process wanted = {.pid_ns = timeline->pid_ns, .pid = timeline->pid}, *at = NULL;
    int64_t offset = 0;

    if (list->process != NULL)
        at = bsearch(&wanted, list->process, list->count, sizeof wanted, by_pid);
    for (; at != NULL && at > list->process && at[-1].pid == wanted.pid; at--)
        offset += NEXT_NAMESPACE;
    return offset;
}

static uint64_t floor_of(const struct nsd_timeline *timeline,
                         const struct nsd_timeline *timelines) {
    uint64_t floor = 0;

    for (const struct nsd_timeline *other = timelines; other != NULL; other = other->next) {
        if (same_process(other, timeline) && other->began < timeline->began && other->ended > floor)
            floor = other->ended;
    }
    return floor;
}

void trace__write(FILE *out, const struct nsd_timeline *timelines) {
    struct processes processes = list_processes(timelines);
    static struct nsd_trace trace;
    int64_t order = 0;

    memset(&trace, 0, sizeof trace);
    trace.out = out;
    trace.base = UINT64_MAX;
    text__begin(&trace.text, trace.buffer, sizeof trace.buffer);
    trace.text.sink = trace__empty;
    trace.text.context = out;
    for (const struct nsd_timeline *one = timelines; one != NULL; one = one->next) {
        if (one->began < trace.base)
            trace.base = one->began;
    }
    text__put(&trace.text, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    for (const struct nsd_timeline *one = timelines; one != NULL; one = one->next) {
        struct nsd_trace_image image = {.timeline = one,
                                        .offset = offset_of(&processes, one),
                                        .floor = floor_of(one, timelines)};

        put_names(&trace, &image, order++);
        /* Slices come first: an arrow binds to the slice around it, which must be known by then. */
        trace__lives(&trace, &image);
        put_instants(&trace, &image);
        put_births(&trace, &image);
        put_migrations(&trace, &image);
    }
    free(processes.process);
    text__put(&trace.text, "\n]}\n");
    if (trace.text.used > 0)
        trace__empty(&trace.text, out);
}
