/*
 * main-switched: the main thread is left in another namespace. Other processes then see that one as
 * the process's, because /proc/PID/ns shows the main thread's. Go: error if the runtime has parked
 * the thread or no goroutine is locked to it. One-to-one: error if it ended there and the process
 * goes on, else a warning or a note by what its visit and the other threads show.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_MAIN_SWITCHED

static const char wedged[] =
    "the Go runtime has parked %t for good in another %k namespace: a goroutine ended while it "
    "was locked to it";
static const char wedged_remedy[] =
    "To all other processes, /proc/PID/ns now shows that namespace as the process's.\n"
    "Fix: do not end a goroutine that switched at %l on the main thread; keep the main thread "
    "busy by locking main in an init function.";
static const char wedged_private[] =
    "the Go runtime has parked %t for good with a %k of its own: a goroutine ended while it was "
    "locked to it";
static const char unlocked[] = "%t is in another %k namespace, and no goroutine is locked to it";
static const char unlocked_remedy[] =
    "Fix: call runtime.LockOSThread() before %l, and unlock only after the thread is restored.";
static const char ended[] =
    "%t ended by pthread_exit while it was in another %k namespace, and the process goes on";
static const char ended_remedy[] = "Fix: setns back before pthread_exit, or switch another thread.";
static const char over[] =
    "%t is in another %k namespace although the function that entered it has returned";
static const char over_remedy[] =
    "Fix: setns back on every path that leads out of the function that switches at %l.";
static const char sibling[] =
    "%t moved to another %k namespace for good, but not the threads that it left behind: %T used "
    "the old one";
static const char sibling_remedy[] =
    "Only the calling thread moves; the others stay where they are.\n"
    "Fix: switch before the first thread is made, or on every thread that the program uses there.";
static const char away_at_end[] = "%t is in another %k namespace at the end";

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread,
                        struct nsd_switch *departure, enum nsd_severity severity, nsd_words words,
                        nsd_words fix) {
    nsd_kinds kinds = scene__still_away(scene, thread, departure);
    struct nsd_finding finding;

    if (!finding__begin_about(&finding, RULE, severity, scene, thread, departure, words, fix))
        return;
    finding__at_witness(&finding, &departure->began);
    if (words == ended && thread->exit_frames != NULL) {
        finding.frames = thread->exit_frames;
        finding.call = NSD_CALL_THREAD_EXIT;
        finding.result = 0;
        finding__relate(&finding, "switched here", &departure->began);
    }
    if (words == sibling) {
        finding.other_tid = departure->sibling->tid;
        finding__relate(&finding, "used there", departure->sibling);
    }
    finding__name_kinds(&finding, scene, thread, departure, kinds);
    findings__add(scene, &finding, departure);
}

/* One-to-one: the main thread is away at a report. */
static void judge_end(const struct nsd_scene *scene, struct nsd_thread *thread,
                      struct nsd_switch *departure) {
    const struct nsd_visits *visits = &scene->ledger->visits;
    enum nsd_visit_state state = visits__state(visits, departure, scene->event);

    if (state == NSD_VISIT_OVER)
        add_finding(scene, thread, departure, NSD_SEVERITY_WARNING, over, over_remedy);
    else if (scene->occasion == NSD_OCCASION_SIGNAL)
        return;
    /* While the main thread visits, other threads are right to work at home. */
    else if (departure->sibling != NULL && state != NSD_VISIT_GOES_ON)
        add_finding(scene, thread, departure, NSD_SEVERITY_WARNING, sibling, sibling_remedy);
    else
        add_finding(scene, thread, departure, NSD_SEVERITY_NOTE, away_at_end, NULL);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);

    if (scene->event->call != NSD_CALL_THREAD_DIED || departure == NULL ||
        departure->runtime != NSD_RUNTIME_THREADS || !ledger__is_leader(scene->ledger, thread) ||
        scene__still_away(scene, thread, departure) == 0)
        return;
    if (ledger__threads_live(scene->ledger) > 0)
        add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, ended, ended_remedy);
    else
        add_finding(scene, thread, departure, NSD_SEVERITY_NOTE, away_at_end, NULL);
}

/* Parked at home with private fs or files: containerd's mountAt does that to the thread it uses. */
static void look_at_private(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_finding finding;

    if (thread->lock != NSD_LOCK_WEDGED ||
        (thread->marks & (NSD_THREAD_PRIVATE_FS | NSD_THREAD_PRIVATE_FILES)) == 0)
        return;
    finding__begin(&finding, RULE, NSD_SEVERITY_NOTE, scene, thread);
    finding.message = wedged_private;
    if ((thread->marks & NSD_THREAD_PRIVATE_FS) != 0)
        finding.kinds = NSD_PRIVATE_FS;
    if ((thread->marks & NSD_THREAD_PRIVATE_FILES) != 0)
        finding.kinds = (nsd_kinds) (finding.kinds | NSD_PRIVATE_FILES);
    findings__add(scene, &finding, NULL);
}

static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);

    if (!ledger__is_leader(scene->ledger, thread))
        return;
    /* The main thread execs: it keeps its namespaces, and switched for that. */
    if (scene->occasion == NSD_OCCASION_EXEC && scene->event->tid == thread->tid)
        return;
    if (ledger__away(scene->ledger, thread) == 0) {
        look_at_private(scene, thread);
        return;
    }
    if (departure == NULL || scene__still_away(scene, thread, departure) == 0)
        return;
    if (departure->runtime == NSD_RUNTIME_THREADS) {
        if (scene->occasion != NSD_OCCASION_EXEC)
            judge_end(scene, thread, departure);
    } else if (thread->lock == NSD_LOCK_WEDGED) {
        add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, wedged, wedged_remedy);
    } else if (thread->lock == NSD_LOCK_UNLOCKED) {
        add_finding(scene, thread, departure, NSD_SEVERITY_ERROR, unlocked, unlocked_remedy);
    }
}

const struct nsd_rule nsd_rule_MAIN_SWITCHED = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_LIFE,
    .on_thread = on_thread,
};
