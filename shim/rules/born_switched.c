/*
 * born-switched: a thread inherits the namespaces of its creator, and the creator was away. Error
 * for an M, which the Go runtime will give to any goroutine. Warning where a library created the
 * thread during a visit of its caller and the thread stayed when the caller was restored; else a
 * note.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_BORN_SWITCHED

static const char by_go[] =
    "the Go runtime created %t from %T, which was in another %k namespace: %t starts there, too";
static const char by_go_remedy[] =
    "The scheduler may run any goroutine on it, and threads that it creates start there, too.\n"
    "Fix: call runtime.LockOSThread() before the switch: the runtime creates no thread from a "
    "locked one.";
static const char created[] = "%t was created by %T in another %k namespace and has stayed there";
static const char left_behind[] =
    "%T created %t in another %k namespace and went back; %t stayed there";
static const char left_behind_remedy[] = "Fix: make the call at %l, which creates the thread, "
                                         "before the switch at %s or after the setns "
                                         "back.";

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread, nsd_kinds kinds,
                        enum nsd_severity severity, nsd_words words, nsd_words fix) {
    struct nsd_switch *departure = thread->born_switch;
    struct nsd_finding finding;

    finding__begin(&finding, RULE, severity, scene, thread);
    finding.message = words;
    finding.remedy = fix;
    finding.frames = thread->birth_frames;
    finding.call = NSD_CALL_THREAD_CREATE;
    finding.other_tid = thread->parent;
    finding.goroutine = 0;
    finding__name_kinds(&finding, scene, thread, NULL, kinds);
    if (departure != NULL)
        finding__relate(&finding, "switched here", &departure->began);
    findings__add(scene, &finding, departure);
}

/* Kinds in which the thread is still where it was born, less those that it switched itself. */
static nsd_kinds born_kinds(const struct nsd_scene *scene, const struct nsd_thread *thread) {
    nsd_kinds kinds;

    if (thread->born_switch == NULL)
        return 0;
    kinds = (nsd_kinds) (ledger__away(scene->ledger, thread) & thread->born_switch->kinds);
    for (const struct nsd_switch *own = thread->switches; own != NULL; own = own->outer)
        kinds = (nsd_kinds) (kinds & ~own->kinds);
    return kinds;
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    nsd_kinds kinds;

    if (scene->event->call == NSD_CALL_THREAD_BORN && (thread->marks & NSD_THREAD_GO_BORN) != 0) {
        kinds = ledger__away(scene->ledger, thread);
        if (kinds != 0)
            add_finding(scene, thread, kinds, NSD_SEVERITY_ERROR, by_go, by_go_remedy);
    }
    if (scene->event->call == NSD_CALL_THREAD_DIED && (thread->marks & NSD_THREAD_GO_BORN) == 0) {
        kinds = born_kinds(scene, thread);
        if (kinds != 0 && thread->switches == NULL)
            add_finding(scene, thread, kinds, NSD_SEVERITY_NOTE, created, NULL);
    }
}

static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    const struct nsd_switch *departure = thread->born_switch;
    nsd_kinds kinds = born_kinds(scene, thread);

    if (kinds == 0 || (thread->marks & NSD_THREAD_GO_BORN) != 0)
        return;
    /* While the creator's visit goes on, it may still take the thread along. At the end: a note. */
    if (departure->is_open && scene->occasion == NSD_OCCASION_SIGNAL)
        return;
    if (departure->ended_home && thread->switches == NULL &&
        !visits__is_caller_of(&departure->began, thread->birth_frames, thread->birth_stack_pointer))
        add_finding(scene, thread, kinds, NSD_SEVERITY_WARNING, left_behind, left_behind_remedy);
    else
        add_finding(scene, thread, kinds, NSD_SEVERITY_NOTE, created, NULL);
}

const struct nsd_rule nsd_rule_BORN_SWITCHED = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_LIFE,
    .on_thread = on_thread,
};
