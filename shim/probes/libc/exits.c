/*
 * The ways to end the process that libc offers. exit() runs handlers, and the report waits for the
 * library's destructor behind them; all others end at once or nearly so, and the report comes
 * first. A vfork child's _exit is nobody's end.
 */
#include "probes/libc/exits.h"

#include "host/libc/next.h"
#include "host/libc/prototypes.h"
#include "calls/ending.h"
#include "host/identity.h"
#include "intake/last_words.h"

int exits__at_once(enum nsd_call call, const struct nsd_site *site, int status) {
    struct nsd_event event;

    if (!observe__begin(&event, call, site) || caller__is_stranger())
        return status;
    event.arguments[0] = (uint64_t) (int64_t) status;
    last_words__report(&event, NSD_OCCASION_EXIT);
    return ending__status(status);
}

int exits__thread(const struct nsd_site *site, int status) {
    struct nsd_event event;

    if (identity__kernel_threads() == 1)
        return exits__at_once(NSD_CALL_EXIT_GROUP, site, status);
    if (!observe__begin(&event, NSD_CALL_THREAD_EXIT, site))
        return status;
    submit__event(&event);
    event.call = NSD_CALL_THREAD_DIED;
    event.explicit_end = true;
    submit__event(&event);
    return status;
}

void exit(int status) {
    struct nsd_event event;

    if (nsd_on && observe__begin(&event, NSD_CALL_EXIT, NSD_SITE())) {
        event.arguments[0] = (uint64_t) (int64_t) status;
        ending__announce(&event);
    }
    NEXT(exit)(status);
    __builtin_unreachable();
}

void quick_exit(int status) {
    if (nsd_on)
        status = exits__at_once(NSD_CALL_QUICK_EXIT, NSD_SITE(), status);
    NEXT(quick_exit)(status);
    __builtin_unreachable();
}

void _exit(int status) {
    if (nsd_on)
        status = exits__at_once(NSD_CALL_EXIT_GROUP, NSD_SITE(), status);
    NEXT(_exit)(status);
    __builtin_unreachable();
}

void _Exit(int status) {
    if (nsd_on)
        status = exits__at_once(NSD_CALL_EXIT_GROUP, NSD_SITE(), status);
    NEXT(_Exit)(status);
    __builtin_unreachable();
}
