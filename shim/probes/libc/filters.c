/*
 * prctl, for PR_SET_SECCOMP and PR_SET_TSC alone: a filter that the host sets may kill it for a
 * call of ours, so from then on we make none that it does not make itself (design: guest laws). A
 * vfork child's filter is its own.
 */
#include "probes/libc/filters.h"

#include "base/syscall.h"
#include "host/libc/next.h"
#include "host/libc/prototypes.h"
#include "host/caller.h"
#include "calls/seccomp.h"

#include <linux/prctl.h>
#include <stdarg.h>

bool filters__before(const struct nsd_filter_call *call) {
    struct nsd_caller caller;

    if (!caller__is_ours(&caller, machine__thread_pointer(), 0))
        return false;
    seccomp__before(caller.tid, call);
    return true;
}

int prctl(int option, ...) {
    unsigned long a, b, c, d;
    struct nsd_filter_call call;
    va_list rest;
    int result;
    bool ours;

    va_start(rest, option);
    a = va_arg(rest, unsigned long);
    b = va_arg(rest, unsigned long);
    c = va_arg(rest, unsigned long);
    d = va_arg(rest, unsigned long);
    va_end(rest);
    if (!nsd_on || (option != PR_SET_SECCOMP && option != PR_SET_TSC))
        return NEXT(prctl)(option, a, b, c, d);
    call = seccomp__of_prctl((uint64_t) option, a, b);
    ours = filters__before(&call);
    result = NEXT(prctl)(option, a, b, c, d);
    if (ours && call.sets && result == 0)
        seccomp__stands(&call);
    return result;
}
