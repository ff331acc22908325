/*
 * restore-failed: the setns that should have restored a thread failed, and the thread was used all
 * the same. Go: error if the goroutine unlocked. One-to-one: error if the thread made another call
 * that depends on the namespace, warning if it merely lives on. A retry that succeeds, and a
 * goroutine that stays locked until it ends, are right.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_RESTORE_FAILED

static const char unlocked[] =
    "%w could not move %t back to the %k namespace it came from (%c: %e) and left it to other "
    "goroutines";
static const char unlocked_remedy[] =
    "Fix: look at the error of the call at %l, and unlock only after it succeeded; else let the "
    "goroutine end locked, so that the thread ends with it.";
static const char worked_on[] =
    "%t could not go back to the %k namespace it came from (%c: %e) and worked on in the wrong "
    "one";
static const char lives_on[] =
    "%t could not go back to the %k namespace it came from (%c: %e) and lives on in the wrong one";
static const char remedy[] =
    "Fix: look at the result of the call at %l; a thread that cannot go back must try again or "
    "end.";
static const char kept[] = "%t could not go back to the %k namespace it came from (%c: %e)";

/* Kinds whose restore failed and that are still away. */
static nsd_kinds failed_kinds(const struct nsd_scene *scene, const struct nsd_thread *thread,
                              const struct nsd_switch *departure) {
    return departure->failure == NULL || departure->is_move
               ? 0
               : (nsd_kinds) (departure->failure->kinds & ledger__away(scene->ledger, thread));
}

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread,
                        struct nsd_switch *departure, enum nsd_severity severity, nsd_words words,
                        nsd_words fix) {
    struct nsd_finding finding;

    if (!finding__begin_about(&finding, RULE, severity, scene, thread, departure, words, fix))
        return;
    finding__at_witness(&finding, departure->failure);
    finding__name_kinds(&finding, scene, thread, departure, failed_kinds(scene, thread, departure));
    finding__relate(&finding, "switched here", &departure->began);
    if (scene->change != NULL && scene->event->tid == thread->tid)
        finding__relate_event(&finding, "used here", scene->event);
    findings__add(scene, &finding, departure);
}

/* A setns that fails once more. One that succeeds clears the departure's failure. */
static bool is_retry(const struct nsd_event *event) {
    return event->call == NSD_CALL_SETNS && event->result < 0;
}

static void look_at_use(const struct nsd_scene *scene, struct nsd_thread *thread,
                        struct nsd_switch *departure) {
    const struct nsd_event *event = scene->event;
    nsd_kinds kinds = failed_kinds(scene, thread, departure);

    /* An open may be that of the descriptor for the way back. */
    if (event->call == NSD_CALL_OPEN || is_retry(event) || !departure->visit_over ||
        (dependence__of(event) & kinds) == 0)
        return;
    add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, worked_on, remedy);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_event *event = scene->event;
    bool unpinned = event->call == NSD_CALL_UNPIN && thread->pins == 0;

    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer) {
        if (failed_kinds(scene, thread, departure) == 0)
            continue;
        if (event->call == NSD_CALL_THREAD_DIED) {
            if (departure->runtime == NSD_RUNTIME_GO)
                add_finding(scene, thread, departure, NSD_SEVERITY_NOTE, kept, NULL);
        } else if (departure->runtime == NSD_RUNTIME_GO) {
            if (scene__hold(departure, event) != NSD_HOLD_KEPT)
                add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, unlocked,
                            unlocked_remedy);
        } else if (unpinned) {
            add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, lives_on, remedy);
        } else {
            look_at_use(scene, thread, departure);
        }
    }
}

static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer) {
        if (failed_kinds(scene, thread, departure) == 0)
            continue;
        if (departure->runtime == NSD_RUNTIME_GO) {
            if (thread->lock == NSD_LOCK_UNLOCKED)
                add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, unlocked,
                            unlocked_remedy);
            else
                add_finding(scene, thread, departure, NSD_SEVERITY_NOTE, kept, NULL);
        } else if (thread->pins == 0 && visits__state(&scene->ledger->visits, departure,
                                                      scene->event) == NSD_VISIT_OVER) {
            add_finding(scene, thread, departure, NSD_SEVERITY_WARNING, lives_on, remedy);
        } else {
            add_finding(scene, thread, departure, NSD_SEVERITY_NOTE, kept, NULL);
        }
    }
}

const struct nsd_rule nsd_rule_RESTORE_FAILED = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_THREADS | NSD_LOOK_GO | NSD_LOOK_LIFE,
    .on_thread = on_thread,
};
