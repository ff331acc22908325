/*
 * died-switched: a thread ended in another namespace. A note: a thread may be created for one job
 * in another namespace and end there. A warning if it was meant to come back (ledger/visits.h).
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_DIED_SWITCHED

static const char died[] = "%t ended in another %k namespace";
static const char was_to_return[] =
    "%t ended in another %k namespace, from which it was meant to come back";
static const char remedy[] =
    "Fix: setns back on every path that leads out of the function that switches at %s.";

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread,
                        struct nsd_switch *departure, enum nsd_severity severity) {
    struct nsd_finding finding;

    finding__begin(&finding, RULE, severity, scene, thread);
    finding.message = severity == NSD_SEVERITY_NOTE ? died : was_to_return;
    finding.remedy = severity == NSD_SEVERITY_NOTE ? NULL : remedy;
    finding__at_witness(&finding, &departure->began);
    if (thread->exit_frames != NULL) {
        finding.frames = thread->exit_frames;
        finding.call = NSD_CALL_THREAD_EXIT;
        finding.result = 0;
        finding__relate(&finding, "switched here", &departure->began);
    }
    finding__name_kinds(&finding, scene, thread, departure,
                        scene__still_away(scene, thread, departure));
    findings__add(scene, &finding, departure);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);
    bool was_meant;

    /* The main thread's end is judged by main-switched. */
    if (scene->event->call != NSD_CALL_THREAD_DIED || departure == NULL ||
        ledger__is_leader(scene->ledger, thread) ||
        scene__still_away(scene, thread, departure) == 0)
        return;
    /* A thread that was cancelled, or pinned to its end, was not meant to work on anywhere. */
    was_meant = !scene->event->cancelled && thread->pins == 0 &&
                visits__is_meant_to_come_back(&scene->ledger->visits, departure);
    add_finding(scene, thread, departure, was_meant ? NSD_SEVERITY_WARNING : NSD_SEVERITY_NOTE);
}

/* Go: the locked goroutine has ended, and the process exits before the runtime ended the thread. */
static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);

    if (departure != NULL && departure->runtime == NSD_RUNTIME_GO &&
        thread->lock == NSD_LOCK_WEDGED && !ledger__is_leader(scene->ledger, thread) &&
        scene__still_away(scene, thread, departure) != 0 &&
        !findings__has_fired(departure, RULE, NSD_SEVERITY_NOTE))
        add_finding(scene, thread, departure, NSD_SEVERITY_NOTE);
}

const struct nsd_rule nsd_rule_DIED_SWITCHED = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_LIFE,
    .on_thread = on_thread,
};
