/*
 * What a program may say to us and ask (include/nsdrift.h). Where the shim is off these are the
 * same no-ops as where it is not loaded.
 */
#include "nsdrift.h"

#include "base/syscall.h"
#include "calls/observe.h"
#include "intake/last_words.h"

static void pin(enum nsd_call call, const struct nsd_site *site) {
    struct nsd_event event;

    if (observe__begin(&event, call, site))
        submit__event(&event);
}

NSD_EXPORT void nsdrift_thread_pin(void) {
    if (nsd_on)
        pin(NSD_CALL_PIN, NSD_SITE());
}

NSD_EXPORT void nsdrift_thread_unpin(void) {
    if (nsd_on)
        pin(NSD_CALL_UNPIN, NSD_SITE());
}

NSD_EXPORT size_t nsdrift_check(struct nsdrift_drift *drift, size_t room) {
    struct nsd_caller caller;

    if (!nsd_on || !caller__is_ours(&caller, machine__thread_pointer(), 0))
        return 0;
    return submit__drift(drift, room);
}

NSD_EXPORT void nsdrift_report(void) {
    struct nsd_event event;

    if (nsd_on && observe__begin(&event, NSD_CALL_REPORT, NSD_SITE()))
        last_words__report(&event, NSD_OCCASION_SIGNAL);
}

NSD_EXPORT const char *nsdrift_version(void) {
    return NSD_VERSION;
}
