/*
 * The trace, see trace.h. Two slices lie over each other: where the thread stands, and below how it
 * is locked there. chrome://tracing colours both by the lock (cname); Perfetto colours by the words
 * of a slice's name, of which the lower ones have the lock alone.
 */
#include "cli/show/trace.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

/*
 * Processes of several pid namespaces may have one pid; to a trace they must differ. More than the
 * kernel's highest pid (2^22), and so little that hundreds of namespaces fit into a viewer's 32
 * bits.
 */
#define NEXT_NAMESPACE 5000000

struct trace {
    FILE *out;
    struct nsd_text text;
    char buffer[16 * 1024];
    uint64_t base;  /* nanoseconds since 1970 that are 0 here */
    uint32_t flows; /* so far: their ids */
    bool any;       /* an event was written */
};

/* The image whose events are being written. */
struct image {
    const struct nsd_timeline *timeline;
    int64_t offset; /* of its pid and tids */
    uint64_t floor; /* the image before it in the same process ended then */
};

/* ---- values ---- */

static void empty(struct nsd_text *text, void *context) {
    fwrite(text->buffer, 1, text->used, context);
    text->used = 0;
}

static void put_string(struct trace *trace, const char *key, const char *value) {
    text__put(&trace->text, ",\"");
    text__put(&trace->text, key);
    text__put(&trace->text, "\":");
    text__json_string(&trace->text, value);
}

static void put_number(struct trace *trace, const char *key, int64_t value) {
    text__put(&trace->text, ",\"");
    text__put(&trace->text, key);
    text__put(&trace->text, "\":");
    text__signed(&trace->text, value);
}

/* Microseconds, with the nanoseconds behind the point. */
static void put_time(struct trace *trace, const char *key, uint64_t nanoseconds) {
    char fraction[5] = {'.', (char) ('0' + nanoseconds / 100 % 10),
                        (char) ('0' + nanoseconds / 10 % 10), (char) ('0' + nanoseconds % 10), 0};

    put_number(trace, key, (int64_t) (nanoseconds / 1000));
    text__put(&trace->text, fraction);
}

static void begin_event(struct trace *trace, const struct image *image, const char *phase,
                        int32_t tid, const char *name) {
    text__put(&trace->text, trace->any ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    trace->any = true;
    text__put(&trace->text, phase);
    text__put_char(&trace->text, '"');
    put_number(trace, "pid", image->timeline->pid + image->offset);
    put_number(trace, "tid", tid + image->offset);
    put_string(trace, "name", name);
}

static void end_event(struct trace *trace) {
    text__put_char(&trace->text, '}');
}

static void begin_args(struct trace *trace) {
    text__put(&trace->text, ",\"args\":{\"nsdrift\":1");
}

static void end_args(struct trace *trace) {
    text__put_char(&trace->text, '}');
}

static uint64_t since(const struct trace *trace, const struct image *image, uint64_t time) {
    if (time < image->floor)
        time = image->floor;
    return time > trace->base ? time - trace->base : 0;
}

/* ---- names of processes and threads ---- */

static void put_name(struct trace *trace, const struct image *image, int32_t tid, const char *what,
                     const char *name) {
    begin_event(trace, image, "M", tid, what);
    text__put(&trace->text, ",\"args\":{\"name\":");
    text__json_string(&trace->text, name);
    end_args(trace);
    end_event(trace);
}

static void put_order(struct trace *trace, const struct image *image, int32_t tid, const char *what,
                      int64_t order) {
    begin_event(trace, image, "M", tid, what);
    text__put(&trace->text, ",\"args\":{\"sort_index\":");
    text__signed(&trace->text, order);
    end_args(trace);
    end_event(trace);
}

static void put_names(struct trace *trace, const struct image *image, int64_t order) {
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

/* ---- slices ---- */

/* Colours of catapult's scheme by lock state: away and at home. */
static const struct {
    const char *away, *home;
} colours[] = {
    [NSD_LOCK_NONE] = {"olive", "grey"},         [NSD_LOCK_UNKNOWN] = {"olive", "grey"},
    [NSD_LOCK_UNLOCKED] = {"terrible", "white"}, [NSD_LOCK_PINNED] = {"good", "good"},
    [NSD_LOCK_EXTERNAL] = {"good", "good"},      [NSD_LOCK_INTERNAL] = {"yellow", "yellow"},
    [NSD_LOCK_CGO] = {"yellow", "yellow"},       [NSD_LOCK_WEDGED] = {"black", "black"},
};

static const char *colour_of(uint8_t lock, bool away) {
    if (lock >= sizeof colours / sizeof colours[0])
        lock = NSD_LOCK_NONE;
    return away ? colours[lock].away : colours[lock].home;
}

static bool same_place(const struct nsd_moment *a, const struct nsd_moment *b) {
    if (a->away != b->away)
        return false;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((a->away & NSD_KIND_BIT(kind)) != 0 && a->label[kind] != b->label[kind])
            return false;
    }
    return true;
}

static bool same_hold(const struct nsd_moment *a, const struct nsd_moment *b) {
    return same_place(a, b) && a->lock == b->lock && a->goroutine == b->goroutine;
}

/* "mnt 4026532207, net #12" | "home" */
static const char *place_name(const struct nsd_timeline *timeline, const struct nsd_moment *moment,
                              char *buffer, size_t size) {
    struct nsd_text text;

    text__begin(&text, buffer, size);
    for (unsigned kind = 0; moment != NULL && kind < NSD_MOMENT_KINDS; kind++) {
        if ((moment->away & (1u << kind)) == 0)
            continue;
        if (text.used > 0)
            text__put(&text, ", ");
        text__put(&text, timeline__kind_word(kind));
        if (kind >= NSD_KINDS)
            continue;
        text__put_char(&text, ' ');
        timeline__put_namespace(&text, timeline, moment->label[kind]);
    }
    if (text.used == 0)
        text__put(&text, "home");
    return text__string(&text);
}

/* "unlocked, goroutine 1"; NULL where there is nothing to say. */
static const char *hold_name(const struct nsd_moment *moment, char *buffer, size_t size) {
    const char *lock = moment != NULL ? timeline__lock_word(moment->lock) : NULL;

    if (lock == NULL && (moment == NULL || moment->goroutine == 0))
        return NULL;
    if (moment->goroutine == 0)
        return lock;
    snprintf(buffer, size, "%s%sgoroutine %lld", lock != NULL ? lock : "", lock != NULL ? ", " : "",
             (long long) moment->goroutine);
    return buffer;
}

static void put_slice(struct trace *trace, const struct image *image, const struct nsd_life *life,
                      const char *category, const char *name, const char *colour, uint64_t from,
                      uint64_t to, const struct nsd_moment *moment) {
    /* What was over at once has no place below; above it holds the thread's arrows. */
    if (to <= from && strcmp(category, "lock") == 0)
        return;
    begin_event(trace, image, "X", life->tid, name);
    put_time(trace, "ts", from);
    put_time(trace, "dur", to > from ? to - from : 0);
    put_string(trace, "cat", category);
    put_string(trace, "cname", colour);
    begin_args(trace);
    if (moment != NULL) {
        put_string(trace, "since", moment->what != NULL ? moment->what : "?");
        if (moment->at != NULL)
            put_string(trace, "at", moment->at);
        if (moment->goroutine != 0)
            put_number(trace, "goroutine", moment->goroutine);
    }
    end_args(trace);
    end_event(trace);
}

/* The moments of one life, in order. */
struct course {
    const struct nsd_moment **moment;
    uint32_t count;
};

/* Worst lock of the moments that share the place of number `first`: unlocked before all others. */
static uint8_t lock_over(const struct course *course, uint32_t first, uint32_t last) {
    uint8_t lock = course->moment[first]->lock;

    for (uint32_t i = first; i < last; i++) {
        if (course->moment[i]->lock == NSD_LOCK_UNLOCKED)
            return NSD_LOCK_UNLOCKED;
    }
    return lock;
}

static void put_holds(struct trace *trace, const struct image *image, const struct nsd_life *life,
                      const struct course *course, uint32_t first, uint32_t last, uint64_t until) {
    for (uint32_t i = first; i < last;) {
        const struct nsd_moment *moment = course->moment[i];
        uint32_t next = i + 1;
        char buffer[96];
        const char *name = hold_name(moment, buffer, sizeof buffer);

        while (next < last && same_hold(moment, course->moment[next]))
            next++;
        if (name != NULL) {
            put_slice(trace, image, life, "lock", name, colour_of(moment->lock, moment->away != 0),
                      since(trace, image, moment->time),
                      since(trace, image, next < last ? course->moment[next]->time : until),
                      moment);
        }
        i = next;
    }
}

static void put_life(struct trace *trace, const struct image *image, const struct nsd_life *life,
                     const struct course *course) {
    const struct nsd_timeline *timeline = image->timeline;
    uint32_t first = 0;
    uint64_t from = since(trace, image, life->began);
    char name[512];

    /* Before its first event it was at home, as far as anybody knows. */
    if (course->count == 0 || (course->moment[0]->time > life->began && course->moment[0]->away)) {
        uint64_t to = course->count == 0 ? life->ended : course->moment[0]->time;

        put_slice(trace, image, life, "namespaces", "home", colour_of(NSD_LOCK_NONE, false), from,
                  since(trace, image, to), NULL);
        from = since(trace, image, to);
    }
    while (first < course->count) {
        const struct nsd_moment *moment = course->moment[first];
        uint32_t last = first + 1;
        uint64_t until;

        while (last < course->count && same_place(moment, course->moment[last]))
            last++;
        until = last < course->count ? course->moment[last]->time : life->ended;
        put_slice(trace, image, life, "namespaces", place_name(timeline, moment, name, sizeof name),
                  colour_of(lock_over(course, first, last), moment->away != 0), from,
                  since(trace, image, until),
                  from == since(trace, image, moment->time) ? moment : NULL);
        put_holds(trace, image, life, course, first, last, until);
        from = since(trace, image, until);
        first = last;
    }
}

/* ---- what happened ---- */

static void put_instant(struct trace *trace, const struct image *image, int32_t tid,
                        const char *category, const char *name, uint64_t time,
                        const char *detail_key, const char *detail) {
    begin_event(trace, image, "i", tid, name);
    put_time(trace, "ts", since(trace, image, time));
    put_string(trace, "s", "t");
    put_string(trace, "cat", category);
    begin_args(trace);
    if (detail != NULL)
        put_string(trace, detail_key, detail);
    end_args(trace);
    end_event(trace);
}

static void put_instants(struct trace *trace, const struct image *image) {
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

static void put_flow(struct trace *trace, const struct image *image, const char *category,
                     const char *name, int32_t from_tid, uint64_t from, int32_t to_tid,
                     uint64_t to) {
    uint32_t id = ++trace->flows;

    if (to < from)
        to = from;
    begin_event(trace, image, "s", from_tid, name);
    put_time(trace, "ts", since(trace, image, from));
    put_number(trace, "id", id);
    put_string(trace, "cat", category);
    end_event(trace);
    begin_event(trace, image, "f", to_tid, name);
    put_time(trace, "ts", since(trace, image, to));
    put_number(trace, "id", id);
    put_string(trace, "bp", "e"); /* the slice around it, not the next one */
    put_string(trace, "cat", category);
    end_event(trace);
}

static void put_births(struct trace *trace, const struct image *image) {
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

/* Where each goroutine was last seen; open addressing, twice as large as can be needed. */
struct sighting {
    int64_t goroutine;
    const struct nsd_moment *moment;
};

static void put_migrations(struct trace *trace, const struct image *image) {
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

static void put_lives(struct trace *trace, const struct image *image) {
    const struct nsd_timeline *timeline = image->timeline;
    struct course course = {.moment = NULL};
    uint32_t most = 1;

    for (uint32_t i = 0; i < timeline->lives; i++) {
        if (timeline->life[i].moments > most)
            most = timeline->life[i].moments;
    }
    course.moment = calloc(most, sizeof *course.moment);
    for (uint32_t i = 0; course.moment != NULL && i < timeline->lives; i++) {
        const struct nsd_life *life = &timeline->life[i];

        course.count = 0;
        for (uint32_t next = life->first; next != 0 && course.count < most;
             next = timeline->moment[next - 1].next)
            course.moment[course.count++] = &timeline->moment[next - 1];
        put_life(trace, image, life, &course);
    }
    free(course.moment);
}

static bool same_process(const struct nsd_timeline *a, const struct nsd_timeline *b) {
    return a->pid == b->pid && a->pid_ns == b->pid_ns;
}

/* Those in the trace, each once, by pid and then by pid namespace. */
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

/* Each process of this pid has numbers of its own, in the order of their pid namespaces. */
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
    static struct trace trace;
    int64_t order = 0;

    memset(&trace, 0, sizeof trace);
    trace.out = out;
    trace.base = UINT64_MAX;
    text__begin(&trace.text, trace.buffer, sizeof trace.buffer);
    trace.text.sink = empty;
    trace.text.context = out;
    for (const struct nsd_timeline *one = timelines; one != NULL; one = one->next) {
        if (one->began < trace.base)
            trace.base = one->began;
    }
    text__put(&trace.text, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    for (const struct nsd_timeline *one = timelines; one != NULL; one = one->next) {
        struct image image = {.timeline = one,
                              .offset = offset_of(&processes, one),
                              .floor = floor_of(one, timelines)};

        put_names(&trace, &image, order++);
        /* Arrows bind to the slice around them, which must be known by then. */
        put_lives(&trace, &image);
        put_instants(&trace, &image);
        put_births(&trace, &image);
        put_migrations(&trace, &image);
    }
    free(processes.process);
    text__put(&trace.text, "\n]}\n");
    if (trace.text.used > 0)
        empty(&trace.text, out);
}
