/*
 * The functions of include/nsdrift.h: a program pins a thread, asks which threads are away, or asks
 * for a report. Called by the program. They do nothing if NSDRIFT=1 is not set.
 */
#include "nsdrift.h"

#include "probes/libc/entrance.h"

static void hand_over(enum nsd_row row, struct nsd_site *site) {
    struct nsd_ongoing ongoing;

    entrance__begin(&ongoing, row, site);
    calls__before(&ongoing);
    entrance__after(&ongoing, 0);
}

NSD_EXPORT void nsdrift_thread_pin(void) {
    if (nsd_on)
        hand_over(NSD_ROW_nsdrift_thread_pin, NSD_SITE());
}

NSD_EXPORT void nsdrift_thread_unpin(void) {
    if (nsd_on)
        hand_over(NSD_ROW_nsdrift_thread_unpin, NSD_SITE());
}

NSD_EXPORT size_t nsdrift_check(struct nsdrift_drift *drift, size_t room) {
    struct nsd_caller caller;

    if (!nsd_on || !caller__is_ours(&caller, machine__thread_pointer(), 0))
        return 0;
    return submit__drift(caller.tid, drift, room);
}

NSD_EXPORT void nsdrift_report(void) {
    if (nsd_on)
        hand_over(NSD_ROW_nsdrift_report, NSD_SITE());
}

NSD_EXPORT const char *nsdrift_version(void) {
    return NSD_VERSION;
}
