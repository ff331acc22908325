/*
 * unlocked-switch: a goroutine that is not locked to its thread moved the thread to another
 * namespace. The scheduler may continue the goroutine on another thread, and other goroutines on
 * this one. A goroutine in a C call (cgo) counts as locked until the call returns; a switch that
 * the call left is found at the thread's next event.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_UNLOCKED_SWITCH

static const char switched[] = "%w moved %t to another %k namespace while it was not locked to it";
static const char switched_remedy[] =
    "The Go scheduler may run what follows a switch on another thread.\n"
    "Fix: call runtime.LockOSThread() before %l, and keep it until the thread is restored or the "
    "process execs.";
static const char made_private[] = "%w gave %t a %k of its own while it was not locked to it";
static const char made_private_remedy[] =
    "That cannot be taken back, and whatever runs on this thread later has it.\n"
    "Fix: call runtime.LockOSThread() before %l and do not unlock, so that the thread ends with "
    "the goroutine.";
static const char in_c[] =
    "%w moved %t to another %k namespace in a C call that returned without going back";
static const char in_c_remedy[] =
    "A goroutine is locked to its thread for the length of a C call, no longer.\n"
    "Fix: call runtime.LockOSThread() before the C call at %g, and keep it until the thread is "
    "restored.";

static bool is_unlocked_go(const struct nsd_event *event) {
    return event->runtime == NSD_RUNTIME_GO && event->lock == NSD_LOCK_UNLOCKED;
}

static void look_at_call(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_change *change = scene->change;
    nsd_kinds kinds = (nsd_kinds) (change->changed & ~change->came_home);
    struct nsd_finding finding;

    if (change->collective || !is_unlocked_go(scene->event) ||
        (kinds == 0 && change->made_private == 0))
        return;
    /* A later call of an open departure: the call that opened it is the cause. */
    if (kinds != 0 && change->opened == NULL && change->current != NULL)
        return;
    if (kinds != 0) {
        finding__begin(&finding, RULE, NSD_SEVERITY_ERROR, scene, thread);
        finding.message = switched;
        finding.remedy = switched_remedy;
        finding__name_kinds(&finding, scene, thread, change->opened, kinds);
    } else if (change->changed == 0) {
        finding__begin(&finding, RULE, NSD_SEVERITY_WARNING, scene, thread);
        finding.message = made_private;
        finding.remedy = made_private_remedy;
        finding.kinds = change->made_private;
    } else {
        return;
    }
    finding__at_event(&finding, scene->event);
    findings__add(scene, &finding, change->opened);
}

/* Whether the C call that opened the departure may still run: m.ncgocall tells calls apart. */
static bool is_in_same_c_call(const struct nsd_switch *departure, const struct nsd_event *event) {
    return event->runtime != NSD_RUNTIME_GO || event->lock == NSD_LOCK_UNKNOWN ||
           (event->lock == NSD_LOCK_CGO && event->lock_epoch == departure->lock_epoch);
}

static void look_at_c_calls(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_event *event = scene->event;
    struct nsd_finding finding;

    if (event->call == NSD_CALL_THREAD_BORN || event->call == NSD_CALL_THREAD_DIED)
        return;
    for (struct nsd_switch *departure = scene__first_switch(scene, thread); departure != NULL;
         departure = scene__next_switch(scene, departure)) {
        if (departure->lock != NSD_LOCK_CGO || departure->is_move ||
            is_in_same_c_call(departure, event) ||
            findings__has_fired(departure, RULE, NSD_SEVERITY_ERROR))
            continue;
        finding__begin(&finding, RULE, NSD_SEVERITY_ERROR, scene, thread);
        finding.message = in_c;
        finding.remedy = in_c_remedy;
        finding.lock = NSD_LOCK_UNLOCKED;
        finding__at_witness(&finding, &departure->began);
        finding__name_kinds(&finding, scene, thread, departure, departure->kinds);
        findings__add(scene, &finding, departure);
    }
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    look_at_c_calls(scene, thread);
    look_at_call(scene, thread);
}

const struct nsd_rule nsd_rule_UNLOCKED_SWITCH = {.on_event = on_event, .looks_at = NSD_LOOK_GO};
