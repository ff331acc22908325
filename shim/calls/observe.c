/*
 * The common part of the wrappers (observe.h). No libc function but the one that says where errno
 * is, and that only after a failure.
 */
#include "calls/observe.h"

#include "base/syscall.h"
#include "host/identity.h"
#include "host/image.h"
#include "stacks/capture.h"
#include "intake/language.h"

extern int *__errno_location(void) __attribute__((weak));

int host__errno(void) {
    return __errno_location != NULL ? *__errno_location() : 0;
}

void host__set_errno(int error) {
    if (__errno_location != NULL)
        *__errno_location() = error;
}

void observe__stack(struct nsd_event *event, const struct nsd_site *site) {
    event->frames = capture__native(site->return_address, site->stack_pointer, site->frame_pointer);
    if (event->runtime == NSD_RUNTIME_GO)
        event->frames = language__behind_c(event->tid, event->frames);
    event->stack_pointer = site->stack_pointer;
}

bool observe__begin(struct nsd_event *event, enum nsd_call call, const struct nsd_site *site) {
    struct nsd_caller caller;

    if (!caller__is_ours(&caller, machine__thread_pointer(), 0))
        return false;
    submit__prepare(event, call, caller.tid);
    event->kinds = nsd_call_table[call].kinds;
    language__identify(caller.tid, event);
    if (site != NULL)
        observe__stack(event, site);
    return true;
}

long observe__kernel_result(long result) {
    return result == -1 ? -(long) host__errno() : result;
}

long observe__end(struct nsd_event *event, long result) {
    event->result = observe__kernel_result(result);
    submit__event(event);
    return result;
}
