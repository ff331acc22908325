/*
 * Lists of what is watched, see coverage.h. They are written while the process has one thread. A
 * probe that is found missing later is appended: the entry first, then the count with release
 * order, so that a report in another thread never reads an entry that is half written.
 */
#include "report/coverage.h"
#include "base/memory.h"
#include <stdatomic.h>

/* The counts are stored with release order after their entry, and read with acquire order. */
static const char *probes[NSD_VIEW_PROBES];
static _Atomic unsigned probe_count;
static struct nsd_view_missing missing[NSD_VIEW_PROBES];
static _Atomic unsigned missing_count;

static const char *const cross_checks[] = {
    [NSD_CROSS_IMPOSSIBLE] = "impossible",
    [NSD_CROSS_AGREES] = "agrees",
    [NSD_CROSS_DIFFERS] = "differs",
};

void coverage__probe(const char *probe) {
    unsigned count = atomic_load_explicit(&probe_count, memory_order_relaxed);

    for (unsigned i = 0; i < count; i++) {
        if (string__equal(probes[i], probe))
            return;
    }
    if (count == NSD_VIEW_PROBES)
        return;
    probes[count] = probe;
    atomic_store_explicit(&probe_count, count + 1, memory_order_release);
}

void coverage__missing(const char *probe, const char *why) {
    unsigned count = atomic_load_explicit(&missing_count, memory_order_relaxed);

    for (unsigned i = 0; i < count; i++) {
        if (string__equal(missing[i].probe, probe) && string__equal(missing[i].why, why))
            return;
    }
    if (count == NSD_VIEW_PROBES)
        return;
    missing[count].probe = probe;
    missing[count].why = why;
    atomic_store_explicit(&missing_count, count + 1, memory_order_release);
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
    view->probe_count = atomic_load_explicit(&probe_count, memory_order_acquire);
    for (unsigned i = 0; i < view->probe_count; i++)
        view->probes[i] = probes[i];
    view->missing_count = atomic_load_explicit(&missing_count, memory_order_acquire);
    for (unsigned i = 0; i < view->missing_count; i++)
        view->missing[i] = missing[i];
    view->cross_check = cross_checks[image->cross_check];
    view->ended = image->ended;
}
