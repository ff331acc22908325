/*
 * Questions of several rules about the ledger and the event, see rule.h. They change nothing.
 */
#include "rules/rule.h"
#include <stddef.h>

struct nsd_switch *scene__switch_of(const struct nsd_thread *thread) {
    struct nsd_switch *departure = thread->switches;

    while (departure != NULL && departure->is_move)
        departure = departure->outer;
    return departure;
}

nsd_kinds scene__still_away(const struct nsd_scene *scene, const struct nsd_thread *thread,
                            const struct nsd_switch *departure) {
    return (nsd_kinds) (departure->kinds & ledger__away(scene->ledger, thread));
}

struct nsd_switch *scene__first_switch(const struct nsd_scene *scene, struct nsd_thread *thread) {
    return thread->switches != NULL ? thread->switches : scene__next_switch(scene, NULL);
}

struct nsd_switch *scene__next_switch(const struct nsd_scene *scene, struct nsd_switch *departure) {
    struct nsd_switch *closed = scene->change->closed;

    if (departure != NULL && departure == closed && !departure->is_open && departure->ended_home)
        return NULL;
    if (departure != NULL && departure->outer != NULL)
        return departure->outer;
    /* A death closes departures, too, but they stay in the thread's list and were visited there. */
    return closed != NULL && closed->ended_home ? closed : NULL;
}

enum nsd_hold scene__hold(const struct nsd_switch *departure, const struct nsd_event *event) {
    bool by_runtime = nsd_call_table[event->call].effect == NSD_EFFECT_THREAD;

    /* The runtime's own work on g0, and an unreadable lock state, say nothing of a goroutine. */
    if (event->runtime != NSD_RUNTIME_GO || event->lock == NSD_LOCK_UNKNOWN ||
        event->lock == NSD_LOCK_WEDGED || event->call == NSD_CALL_THREAD_BORN ||
        event->call == NSD_CALL_THREAD_DIED || (by_runtime && event->goroutine == 0))
        return NSD_HOLD_KEPT;
    if (event->goroutine != 0 && departure->began.goroutine != 0 &&
        event->goroutine != departure->began.goroutine)
        return NSD_HOLD_OTHER;
    return event->lock == NSD_LOCK_UNLOCKED ? NSD_HOLD_UNLOCKED : NSD_HOLD_KEPT;
}

bool scene__is_ending(const struct nsd_event *event) {
    return nsd_call_table[event->call].effect == NSD_EFFECT_END;
}
