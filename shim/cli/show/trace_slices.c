/*
 * Slices, see trace_slices.h. Two lie over each other: where the thread stands, and below how it is
 * locked there. chrome://tracing colours both by the lock (cname); Perfetto colours by the words of
 * a slice's name, and only the lower slices have the lock as their name.
 */
#include "cli/show/trace_slices.h"
#include <stdlib.h>
#include <string.h>

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

static void put_slice(struct nsd_trace *trace, const struct nsd_trace_image *image,
                      const struct nsd_life *life, const char *category, const char *name,
                      const char *colour, uint64_t from, uint64_t to,
                      const struct nsd_moment *moment) {
    /* A slice without length is left out below; above it is needed, since arrows bind to it. */
    if (to <= from && strcmp(category, "lock") == 0)
        return;
    trace__begin_event(trace, image, "X", life->tid, name);
    trace__time(trace, "ts", from);
    trace__time(trace, "dur", to > from ? to - from : 0);
    trace__string(trace, "cat", category);
    trace__string(trace, "cname", colour);
    trace__begin_args(trace);
    if (moment != NULL) {
        trace__string(trace, "since", moment->what != NULL ? moment->what : "?");
        if (moment->at != NULL)
            trace__string(trace, "at", moment->at);
        if (moment->goroutine != 0)
            trace__number(trace, "goroutine", moment->goroutine);
    }
    trace__end_args(trace);
    trace__end_event(trace);
}

/* The moments of one life, in order. */
struct course {
    const struct nsd_moment **moment;
    uint32_t count;
};

/* The lock of these moments, which share one place: unlocked if it was unlocked in any of them. */
static uint8_t lock_over(const struct course *course, uint32_t first, uint32_t last) {
    uint8_t lock = course->moment[first]->lock;

    for (uint32_t i = first; i < last; i++) {
        if (course->moment[i]->lock == NSD_LOCK_UNLOCKED)
            return NSD_LOCK_UNLOCKED;
    }
    return lock;
}

static void put_holds(struct nsd_trace *trace, const struct nsd_trace_image *image,
                      const struct nsd_life *life, const struct course *course, uint32_t first,
                      uint32_t last, uint64_t until) {
    for (uint32_t i = first; i < last;) {
        const struct nsd_moment *moment = course->moment[i];
        uint32_t next = i + 1;
        char buffer[96];
        const char *name = hold_name(moment, buffer, sizeof buffer);

        while (next < last && same_hold(moment, course->moment[next]))
            next++;
        if (name != NULL) {
            put_slice(trace, image, life, "lock", name, colour_of(moment->lock, moment->away != 0),
                      trace__since(trace, image, moment->time),
                      trace__since(trace, image, next < last ? course->moment[next]->time : until),
                      moment);
        }
        i = next;
    }
}

static void put_life(struct nsd_trace *trace, const struct nsd_trace_image *image,
                     const struct nsd_life *life, const struct course *course) {
    const struct nsd_timeline *timeline = image->timeline;
    uint32_t first = 0;
    uint64_t from = trace__since(trace, image, life->began);
    char name[512];

    /* Before its first event the thread is shown at home, since nothing else is known. */
    if (course->count == 0 || (course->moment[0]->time > life->began && course->moment[0]->away)) {
        uint64_t to = course->count == 0 ? life->ended : course->moment[0]->time;

        put_slice(trace, image, life, "namespaces", "home", colour_of(NSD_LOCK_NONE, false), from,
                  trace__since(trace, image, to), NULL);
        from = trace__since(trace, image, to);
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
                  trace__since(trace, image, until),
                  from == trace__since(trace, image, moment->time) ? moment : NULL);
        put_holds(trace, image, life, course, first, last, until);
        from = trace__since(trace, image, until);
        first = last;
    }
}

void trace__lives(struct nsd_trace *trace, const struct nsd_trace_image *image) {
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
