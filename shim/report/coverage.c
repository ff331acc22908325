/*
 * Lists of what is watched, see coverage.h. They are written while the process has one thread. A
 * probe that is found missing later is appended: the entry first, then the count with release
 * order, so that a report in another thread never reads an entry that is half written.
 */
#include "report/coverage.h"
#include "base/memory.h"

static const char *probes[NSD_VIEW_PROBES];
static unsigned probe_count;
static struct nsd_view_missing missing[NSD_VIEW_PROBES];
static unsigned missing_count;

static const char *const cross_checks[] = {
    [NSD_CROSS_IMPOSSIBLE] = "impossible",
    [NSD_CROSS_AGREES] = "agrees",
    [NSD_CROSS_DIFFERS] = "differs",
};

void coverage__probe(const char *probe) {
    for (unsigned i = 0; i < probe_count; i++) {
        if (string__equal(probes[i], probe))
            return;
    }
    if (probe_count == NSD_VIEW_PROBES)
        return;
    probes[probe_count] = probe;
    __atomic_store_n(&probe_count, probe_count + 1, __ATOMIC_RELEASE);
}

void coverage__missing(const char *probe, const char *why) {
    for (unsigned i = 0; i < missing_count; i++) {
        if (string__equal(missing[i].probe, probe) && string__equal(missing[i].why, why))
            return;
    }
    if (missing_count == NSD_VIEW_PROBES)
        return;
    missing[missing_count].probe = probe;
    missing[missing_count].why = why;
    __atomic_store_n(&missing_count, missing_count + 1, __ATOMIC_RELEASE);
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
    view->probe_count = __atomic_load_n(&probe_count, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < view->probe_count; i++)
        view->probes[i] = probes[i];
    view->missing_count = __atomic_load_n(&missing_count, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < view->missing_count; i++)
        view->missing[i] = missing[i];
    view->cross_check = cross_checks[image->cross_check];
    view->ended = image->ended;
}
