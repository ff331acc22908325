/*
 * left-switched: a thread other than the main one lives on in another namespace. One-to-one: a
 * note, because the thread may stay there by plan; a warning if it was on a visit (ledger/visits.h)
 * that is over, even if a later visit happens to restore the thread. Go: an error if no goroutine
 * is locked to the thread.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_LEFT_SWITCHED

static const char unlocked[] =
    "%t is left in another %k namespace, and no goroutine is locked to it";
static const char unlocked_remedy[] =
    "Fix: call runtime.LockOSThread() before %l, and unlock only after the thread is restored.";
static const char over[] =
    "%t was left in another %k namespace: the function that entered it returned without going "
    "back";
static const char over_remedy[] =
    "Fix: setns back on every path that leads out of the function that switches at %l.";
static const char lives_on[] = "%t lives on in another %k namespace";

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread,
                        struct nsd_switch *departure, enum nsd_severity severity, nsd_words words,
                        nsd_words fix) {
    nsd_kinds kinds = scene__still_away(scene, thread, departure);
    struct nsd_finding finding;

    if (!finding__begin_about(&finding, RULE, severity, scene, thread, departure, words, fix))
        return;
    finding__at_witness(&finding, &departure->began);
    finding__name_kinds(&finding, scene, thread, departure, kinds != 0 ? kinds : departure->kinds);
    if (scene->change != NULL)
        finding__relate_event(&finding, "still not back here", scene->event);
    findings__add(scene, &finding, departure);
}

/* Whether the departure is a visit of a one-to-one thread that is not pinned. */
static bool is_left(const struct nsd_scene *scene, const struct nsd_thread *thread,
                    const struct nsd_switch *departure) {
    return departure->runtime == NSD_RUNTIME_THREADS && !departure->is_move && thread->pins == 0 &&
           visits__is_meant_to_come_back(&scene->ledger->visits, departure);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_event *event = scene->event;
    const struct nsd_switch *closed = scene->change->closed;
    bool any_over = closed != NULL && closed->visit_over;

    for (const struct nsd_switch *open = thread->switches; open != NULL; open = open->outer)
        any_over = any_over || open->visit_over;
    if (!any_over)
        return;
    /* The thread's death is judged by died-switched, the leader at the end by main-switched. */
    if (event->call == NSD_CALL_THREAD_DIED ||
        (scene__is_ending(event) && ledger__is_leader(scene->ledger, thread)))
        return;
    for (struct nsd_switch *departure = scene__first_switch(scene, thread); departure != NULL;
         departure = scene__next_switch(scene, departure)) {
        if (departure != scene->change->opened && departure->visit_over &&
            is_left(scene, thread, departure))
            add_finding(scene, thread, departure, NSD_SEVERITY_WARNING, over, over_remedy);
    }
}

static void judge(const struct nsd_scene *scene, struct nsd_thread *thread,
                  struct nsd_switch *departure) {
    if (departure->runtime == NSD_RUNTIME_GO && thread->lock == NSD_LOCK_UNLOCKED)
        add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, unlocked, unlocked_remedy);
    else if (is_left(scene, thread, departure) &&
             visits__state(&scene->ledger->visits, departure, scene->event) == NSD_VISIT_OVER)
        add_finding(scene, thread, departure, NSD_SEVERITY_WARNING, over, over_remedy);
    else
        add_finding(scene, thread, departure, NSD_SEVERITY_NOTE, lives_on, NULL);
}

static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);

    if (departure == NULL || ledger__is_leader(scene->ledger, thread) ||
        scene__still_away(scene, thread, departure) == 0)
        return;
    /* The thread that execs is not left: it becomes the process. */
    if (scene->occasion == NSD_OCCASION_EXEC && scene->event->tid == thread->tid)
        return;
    /* Its locked goroutine has ended, so the runtime ends the thread: died-switched. */
    if (thread->lock != NSD_LOCK_WEDGED)
        judge(scene, thread, departure);
}

const struct nsd_rule nsd_rule_LEFT_SWITCHED = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_THREADS,
    .on_thread = on_thread,
};
