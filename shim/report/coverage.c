/*
 * Lists of what is watched and what is not, see coverage.h. Any thread may append, also in a signal
 * handler: it claims the next entry with an addition, fills it, and publishes it by its name. A
 * report skips entries that are claimed and not yet published.
 */
#include "report/coverage.h"
#include "base/memory.h"
#include <stdatomic.h>

struct entry {
    const char *why; /* of a missing probe */
    /* Stored with release after `why`, and read with acquire: a reader that sees it sees both. */
    const char *_Atomic probe;
};

struct list {
    struct entry entry[NSD_VIEW_PROBES];
    /* Relaxed: it only hands out numbers; may exceed the room. */
    _Atomic unsigned claimed;
};

static struct list probes, missing;

static unsigned length(const struct list *list) {
    unsigned claimed = atomic_load_explicit(&list->claimed, memory_order_relaxed);

    return claimed < NSD_VIEW_PROBES ? claimed : NSD_VIEW_PROBES;
}

static const char *probe_at(const struct list *list, unsigned i) {
    return atomic_load_explicit(&list->entry[i].probe, memory_order_acquire);
}

static bool is_entry(const struct list *list, unsigned i, const char *probe, const char *why) {
    const char *known = probe_at(list, i);

    return known != NULL && string__equal(known, probe) &&
           (why == NULL || string__equal(list->entry[i].why, why));
}

/* Whether the list has it before entry `end`. */
static bool has(const struct list *list, unsigned end, const char *probe, const char *why) {
    for (unsigned i = 0; i < end; i++) {
        if (is_entry(list, i, probe, why))
            return true;
    }
    return false;
}

static void append(struct list *list, const char *probe, const char *why) {
    unsigned i;

    if (has(list, length(list), probe, why) || length(list) == NSD_VIEW_PROBES)
        return;
    i = atomic_fetch_add_explicit(&list->claimed, 1, memory_order_relaxed);
    if (i >= NSD_VIEW_PROBES)
        return;
    list->entry[i].why = why;
    atomic_store_explicit(&list->entry[i].probe, probe, memory_order_release);
}

static const char *const cross_checks[] = {
    [NSD_CROSS_IMPOSSIBLE] = "impossible",
    [NSD_CROSS_AGREES] = "agrees",
    [NSD_CROSS_DIFFERS] = "differs",
    [NSD_CROSS_NOT_NEEDED] = "impossible", /* a report knows three words */
};

void coverage__probe(const char *probe) {
    append(&probes, probe, NULL);
}

void coverage__missing(const char *probe, const char *why) {
    append(&missing, probe, why);
}

/* Two threads may have appended the same at once: it is shown once. */
static bool is_shown(const struct list *list, unsigned i) {
    const char *probe = probe_at(list, i);

    return probe != NULL && !has(list, i, probe, list->entry[i].why);
}

static void copy_facts(struct nsd_view_coverage *to, const struct nsd_image *from) {
    NSD_PROBE_FACTS(NSD_FACT_COPY)
    NSD_COUNT_FACTS(NSD_FACT_COPY)
    NSD_STRING_FACTS(NSD_STRING_COPY)
}

void coverage__view(struct nsd_view_coverage *view, const struct nsd_image *image) {
    memory__fill(view, 0, sizeof *view);
    view->image.pid = image->pid;
    view->image.pid_ns = image->pid_ns;
    view->image.program = image->program;
    copy_facts(view, image);
    for (unsigned i = 0; i < length(&probes); i++) {
        if (is_shown(&probes, i))
            view->probes[view->probe_count++] = probe_at(&probes, i);
    }
    for (unsigned i = 0; i < length(&missing); i++) {
        if (is_shown(&missing, i))
            view->missing[view->missing_count++] =
                (struct nsd_view_missing){probe_at(&missing, i), missing.entry[i].why};
    }
    view->cross_check = cross_checks[image->cross_check];
    view->ended = image->ended;
}
