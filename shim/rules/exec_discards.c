/*
 * exec-discards: exec keeps the namespaces of the calling thread and ends all other threads, so a
 * switch that another thread made is lost. Error if the same goroutine made switch and exec, else a
 * note. If the switched thread itself execs, nothing is lost; a note says that its tid becomes the
 * pid.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_EXEC_DISCARDS

static const char own[] =
    "%w execs on %t, but the thread that it moved to another %k namespace is %T, which the exec "
    "ends";
static const char own_remedy[] =
    "Fix: call runtime.LockOSThread() before %s, and keep it until the exec.";
static const char others[] = "%w execs on %t while %T is in another %k namespace; the exec ends %T";
static const char becomes[] =
    "%t execs and takes over the process id; its thread id in paths and arguments is no longer "
    "valid";

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread,
                        const struct nsd_thread *other, struct nsd_switch *departure,
                        enum nsd_severity severity, nsd_words words, nsd_words fix,
                        nsd_kinds kinds) {
    struct nsd_finding finding;

    finding__begin(&finding, RULE, severity, scene, thread);
    finding.message = words;
    finding.remedy = fix;
    finding.other_tid = other->tid;
    finding__at_event(&finding, scene->event);
    finding__name_kinds(&finding, scene, other, departure, kinds);
    if (departure != NULL)
        finding__relate(&finding, "switched here", &departure->began);
    findings__add(scene, &finding, departure);
}

/* The caller keeps its namespaces. If it is not the leader, its tid becomes the leader's. */
static void look_at_own(const struct nsd_scene *scene, struct nsd_thread *thread, nsd_kinds away) {
    if (away != 0 && !ledger__is_leader(scene->ledger, thread) && thread->lock != NSD_LOCK_UNLOCKED)
        add_finding(scene, thread, thread, scene__switch_of(thread), NSD_SEVERITY_NOTE, becomes,
                    NULL, away);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_event *event = scene->event;
    nsd_kinds away;
    bool noted = false;

    if (event->call == NSD_CALL_EXEC_FAILED)
        findings__withdraw(scene->findings, RULE);
    if (event->call != NSD_CALL_EXEC)
        return;
    away = ledger__away(scene->ledger, thread);
    look_at_own(scene, thread, away);
    for (struct nsd_switch *departure = scene->ledger->switches.first; departure != NULL;
         departure = departure->next) {
        struct nsd_thread *other = ledger__thread(scene->ledger, departure->began.tid);
        bool is_own;
        nsd_kinds kinds;

        if (departure->is_move || departure->serial == thread->serial || other == NULL ||
            other->serial != departure->serial)
            continue;
        kinds = scene__still_away(scene, other, departure) & (nsd_kinds) ~away;
        is_own = event->runtime == NSD_RUNTIME_GO && departure->runtime == NSD_RUNTIME_GO &&
                 event->goroutine != 0 && departure->began.goroutine == event->goroutine;
        if (kinds == 0 || (!is_own && noted))
            continue;
        if (is_own) {
            add_finding(scene, thread, other, departure, NSD_SEVERITY_ERROR, own, own_remedy,
                        kinds);
        } else {
            add_finding(scene, thread, other, departure, NSD_SEVERITY_NOTE, others, NULL, kinds);
            noted = true;
        }
    }
}

const struct nsd_rule nsd_rule_EXEC_DISCARDS = {.on_event = on_event, .looks_at = NSD_LOOK_PROCESS};
