/*
 * unlocked-while-switched: a goroutine was locked when it switched its thread, and unlocked before
 * the thread was restored. Whatever the scheduler runs on that thread next is in the wrong
 * namespace. One-to-one: the same for nsdrift_thread_pin and nsdrift_thread_unpin.
 */
#include "rules/rule.h"
#include <stddef.h>

#define RULE NSD_RULE_UNLOCKED_WHILE_SWITCHED

static const char unlocked[] =
    "%w is no longer locked to %t, which is still in another %k namespace";
static const char other[] =
    "other goroutines run on %t, which %w moved to another %k namespace and left there";
#define SETNS_BACK                                                                                 \
    "Whatever the scheduler runs on this thread next, it runs in the wrong namespace.\n"           \
    "Fix: setns the thread back after the switch at %l and before runtime.UnlockOSThread()"
static const char remedy[] =
    SETNS_BACK ", or do not unlock: the thread then ends with its goroutine.";
/* A goroutine that ends locked on the main thread wedges it (runtime/proc.go, goexit0). */
static const char main_remedy[] =
    SETNS_BACK ". A goroutine that ends while it is locked to the main thread leaves that thread "
               "there for good.";
static const char unpinned[] = "%t was unpinned while it was in another %k namespace";
static const char unpinned_remedy[] =
    "Fix: setns the thread back after the switch at %l and before nsdrift_thread_unpin().";

static nsd_words remedy_for(const struct nsd_scene *scene, const struct nsd_thread *thread) {
    return ledger__is_leader(scene->ledger, thread) ? main_remedy : remedy;
}

static void add_finding(const struct nsd_scene *scene, struct nsd_thread *thread,
                        struct nsd_switch *departure, nsd_words words, nsd_words fix) {
    nsd_kinds kinds = scene__still_away(scene, thread, departure);
    struct nsd_finding finding;

    if (!finding__begin_about(&finding, RULE, NSD_SEVERITY_ERROR, scene, thread, departure, words,
                              fix))
        return;
    /*
     * The finding's place is the switch, which is the same in every run. The event that shows it is
     * not: it is whatever ran next.
     */
    finding__at_witness(&finding, &departure->began);
    finding__name_kinds(&finding, scene, thread, departure, kinds != 0 ? kinds : departure->kinds);
    if (scene->change != NULL)
        finding__relate_event(&finding, "then here", scene->event);
    findings__add(scene, &finding, departure);
}

static bool is_judged(const struct nsd_switch *departure) {
    return !departure->is_move && departure->runtime == NSD_RUNTIME_GO &&
           departure->lock != NSD_LOCK_UNKNOWN && departure->lock != NSD_LOCK_CGO;
}

static void look_at_unpin(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);

    if (departure != NULL && thread->pins == 0 && departure->runtime == NSD_RUNTIME_THREADS)
        add_finding(scene, thread, departure, unpinned, unpinned_remedy);
}

static void on_event(const struct nsd_scene *scene, struct nsd_thread *thread) {
    if (scene->event->call == NSD_CALL_UNPIN)
        look_at_unpin(scene, thread);
    for (struct nsd_switch *departure = scene__first_switch(scene, thread); departure != NULL;
         departure = scene__next_switch(scene, departure)) {
        enum nsd_hold hold;

        if (departure == scene->change->opened || !is_judged(departure))
            continue;
        hold = scene__hold(departure, scene->event);
        /*
         * A goroutine that was locked has the same words whoever runs on its thread next: the
         * scheduler picks that anew in each run. One that was never locked is judged by
         * unlocked-switch, until another goroutine runs there.
         */
        if (hold != NSD_HOLD_KEPT && departure->lock != NSD_LOCK_UNLOCKED)
            add_finding(scene, thread, departure, unlocked, remedy_for(scene, thread));
        else if (hold == NSD_HOLD_OTHER)
            add_finding(scene, thread, departure, other, remedy_for(scene, thread));
    }
}

static void on_thread(const struct nsd_scene *scene, struct nsd_thread *thread) {
    struct nsd_switch *departure = scene__switch_of(thread);

    if (departure != NULL && is_judged(departure) && departure->lock != NSD_LOCK_UNLOCKED &&
        thread->lock == NSD_LOCK_UNLOCKED)
        add_finding(scene, thread, departure, unlocked, remedy_for(scene, thread));
}

const struct nsd_rule nsd_rule_UNLOCKED_WHILE_SWITCHED = {
    .on_event = on_event,
    .looks_at = NSD_LOOK_GO | NSD_LOOK_LOCK,
    .on_thread = on_thread,
};
