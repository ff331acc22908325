/*
 * prctl, for PR_SET_SECCOMP alone: a filter that the host sets may kill it for a call of ours, so
 * from then on we make none that it does not make itself (design: guest laws). A vfork child's
 * filter is its own.
 */
#include "probes/libc/filters.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "probes/libc/prototypes.h"
#include "probes/process/caller.h"
#include "probes/process/identity.h"
#include "probes/submit.h"

#include <linux/prctl.h>
#include <stdarg.h>

void filters__before(void) {
    struct nsd_caller caller;

    if (caller__is_ours(&caller, machine__thread_pointer(), 0))
        submit__before_filter(caller.tid);
}

void filters__set(void) {
    if (caller__is_vfork_child(machine__thread_pointer()))
        return;
    identity__quiet();
    memory__only_own_calls();
}

int prctl(int option, ...) {
    unsigned long a, b, c, d;
    va_list rest;
    int result;

    va_start(rest, option);
    a = va_arg(rest, unsigned long);
    b = va_arg(rest, unsigned long);
    c = va_arg(rest, unsigned long);
    d = va_arg(rest, unsigned long);
    va_end(rest);
    if (!nsd_on || option != PR_SET_SECCOMP)
        return NEXT(prctl)(option, a, b, c, d);
    filters__before();
    result = NEXT(prctl)(option, a, b, c, d);
    if (result == 0)
        filters__set();
    return result;
}
