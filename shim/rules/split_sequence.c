/*
 * split-sequence: a call that depends on a switch was made on another thread. Go: an error, by the
 * goroutine's id. Without goroutines a warning, by two traces (ledger/dependence.h): the setns that
 * should restore a thread was made by another one, which was at home; or a thread made a mnt
 * namespace and never used it, and another one mounted at home.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_SPLIT_SEQUENCE

static const char split[] =
    "%w called %c on %t, but the thread that it moved to another %k namespace is %T";
static const char split_remedy[] =
    "Fix: call runtime.LockOSThread() before %s, and keep it until the thread is restored or the "
    "process execs.";
static const char restored_elsewhere[] =
    "%t called %c for the %k namespace that it was in already; %T, which opened the descriptor, "
    "is still in another one";
static const char mounted_elsewhere[] =
    "%T made a mnt namespace and did nothing in it; %t made the mount that followed, in the old "
    "one";
static const char elsewhere_remedy[] =
    "Fix: keep what follows the switch at %s on the thread that made it.";

/* ---- by goroutine ---- */

/* The namespace in which the thread made the call; the call itself may have changed it. */
static const struct nsd_label *label_at_call(const struct nsd_scene *scene,
                                             const struct nsd_thread *thread, unsigned kind) {
    if ((scene->change->changed & NSD_KIND_BIT(kind)) != 0)
        return scene->change->before[kind];
    return thread->label[kind];
}

/* The kinds among `among` in which two threads are in different namespaces. */
static nsd_kinds kinds_apart(const struct nsd_scene *scene, const struct nsd_thread *here,
                             const struct nsd_thread *there, nsd_kinds among) {
    nsd_kinds apart = 0;

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((among & NSD_KIND_BIT(kind)) != 0 &&
            !label__same(label_at_call(scene, here, kind), there->label[kind]))
            apart = (nsd_kinds) (apart | NSD_KIND_BIT(kind));
    }
    return apart;
}

static void look_at_goroutine(const struct nsd_scene *scene, struct nsd_thread *thread,
                              struct nsd_switch *departure) {
    struct nsd_thread *there = ledger__thread(scene->ledger, departure->began.tid);
    struct nsd_finding finding;
    nsd_kinds kinds;

    if (departure->serial == thread->serial || departure->is_move ||
        departure->runtime != NSD_RUNTIME_GO || there == NULL || there->serial != departure->serial)
        return;
    kinds = kinds_apart(scene, thread, there,
                        dependence__of(scene->event) & scene__still_away(scene, there, departure));
    if (kinds == 0)
        return;
    finding__begin(&finding, RULE, NSD_SEVERITY_ERROR, scene, thread);
    finding.message = split;
    finding.remedy = split_remedy;
    finding.other_tid = there->tid;
    finding__at_event(&finding, scene->event);
    finding__name_kinds(&finding, scene, thread, NULL, kinds);
    finding__relate(&finding, "switched here", &departure->began);
    findings__add(scene, &finding, departure);
}

/* ---- without goroutines: the departure's witness `elsewhere` ---- */

static void look_at_trace(const struct nsd_scene *scene, struct nsd_switch *departure) {
    const struct nsd_witness *elsewhere = departure->elsewhere;
    bool is_restore = elsewhere != NULL && elsewhere->call == NSD_CALL_SETNS;
    struct nsd_finding finding;

    if (elsewhere == NULL || departure->is_move || (!is_restore && !departure->fresh_mnt) ||
        findings__has_fired(departure, RULE, NSD_SEVERITY_WARNING))
        return;
    finding = (struct nsd_finding){
        .rule = RULE,
        .severity = NSD_SEVERITY_WARNING,
        .count = 1,
        .time = elsewhere->time,
        .tid = elsewhere->tid,
        .main_thread = elsewhere->tid == scene->ledger->pid,
        .other_tid = departure->began.tid,
        .message = is_restore ? restored_elsewhere : mounted_elsewhere,
        .remedy = elsewhere_remedy,
        .kinds = elsewhere->kinds,
    };
    finding__at_witness(&finding, elsewhere);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((elsewhere->kinds & NSD_KIND_BIT(kind)) == 0)
            continue;
        finding.before[kind] = finding.after[kind] = departure->before[kind];
        finding.home[kind] = ledger__home(scene->ledger, kind);
    }
    finding__relate(&finding, "switched here", &departure->began);
    findings__add(scene, &finding, departure);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_event *event = scene->event;

    if (event->call == NSD_CALL_THREAD_DIED) {
        for (struct nsd_switch *departure = thread->switches; departure != NULL;
             departure = departure->outer)
            look_at_trace(scene, departure);
        return;
    }
    /* An exec on the wrong thread is judged by exec-discards. */
    if (event->runtime == NSD_RUNTIME_GO && event->goroutine != 0 && event->call != NSD_CALL_EXEC &&
        dependence__of(event) != 0) {
        for (struct nsd_switch *departure =
                 switches__of_goroutine(&scene->ledger->switches, event->goroutine);
             departure != NULL; departure = switch__next_of_goroutine(departure))
            look_at_goroutine(scene, thread, departure);
    }
    if ((nsd_call_table[event->call].kinds & NSD_KIND_BIT(NSD_KIND_MNT)) != 0) {
        for (unsigned i = 0; i < NSD_UNUSED_DEAD; i++) {
            if (scene->ledger->unused_dead[i] != NULL)
                look_at_trace(scene, scene->ledger->unused_dead[i]);
        }
    }
}

static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    /* The program goes on after a signal: the thread may still be restored. */
    if (scene->occasion == NSD_OCCASION_SIGNAL)
        return;
    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer)
        look_at_trace(scene, departure);
}

const struct nsd_rule nsd_rule_SPLIT_SEQUENCE = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_GO | NSD_LOOK_LIFE | NSD_LOOK_MOUNT,
    .on_thread = on_thread,
};
