/*
 * What shim/calls may ask about a call that came by a libc symbol or syscall(), see entrance.h.
 * Called by the functions that rows name; safe in signal handlers and in vfork children.
 */
#include "probes/libc/entrance.h"
#include "base/syscall.h"
#include "intake/language.h"
#include "stacks/capture.h"

static bool is_ours(struct nsd_ongoing *ongoing) {
    struct nsd_caller caller;

    if (!caller__is_ours(&caller, machine__thread_pointer(), 0))
        return false;
    ongoing->tid = caller.tid;
    return true;
}

/* C code that a goroutine has called runs on that goroutine's thread. */
static void describe(struct nsd_ongoing *ongoing) {
    language__identify(ongoing->tid, &ongoing->event);
}

static void capture(struct nsd_ongoing *ongoing) {
    const struct nsd_site *site = ongoing->caller;
    struct nsd_event *event = &ongoing->event;

    event->frames = capture__native(site->return_address, site->stack_pointer, site->frame_pointer);
    if (event->runtime == NSD_RUNTIME_GO)
        event->frames = language__behind_c(event->tid, event->frames);
    event->stack_pointer = site->stack_pointer;
}

/* is_ours gives the copy its fresh image, unless a handler of pthread_atfork caused that already.
 */
static void began_as_copy(struct nsd_ongoing *ongoing) {
    is_ours(ongoing);
}

const struct nsd_entrance nsd_libc_entrance = {
    .keeps = true,
    .may_call_libc = true,
    .is_ours = is_ours,
    .describe = describe,
    .capture = capture,
    .began_as_copy = began_as_copy,
};
