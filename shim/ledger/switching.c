/*
 * setns and unshare, see switching.h. One call goes through four steps; targets.c does the first.
 * Example: unshare(CLONE_NEWNET) on thread 4250 while 4242 is the leader:
 *
 *     targets     which namespace the call leads to, per kind    a new label N for net
 *     enter       where the thread is now, what changed          4250: net H -> N, changed = net
 *     home        does home move? (one thread: yes)              no: net is home in H
 *     departures  which records open, grow, come home or close   4250 is away in net: one opens
 *
 * Later setns(fd of H) restores the thread: the target is H, net changes, home does not move, the
 * departure closes. A call that fails changes nothing. If its target was the thread's home, the
 * departure keeps it as a failed restore.
 */
#include "ledger/switching.h"
#include "ledger/dependence.h"
#include "ledger/targets.h"
#include <asm/errno.h>
#include <stddef.h>

/*
 * Records for moves of a single-threaded process that it does not undo: a daemon needs a few at its
 * start. Further ones are added to the newest record.
 */
#define MOVES_MOST 8u

/* ---- enter ---- */

/* Puts the thread into the targets, drops their references, returns the kinds that changed. */
static nsd_kinds enter(struct nsd_ledger *ledger, struct nsd_thread *thread,
                       struct nsd_targets *targets) {
    nsd_kinds changed = 0;

    FOR_EACH_KIND(kind, targets->kinds) {
        struct nsd_label *to = targets->label[kind], *from = thread->label[kind];

        if (to == NULL || !label__same(from, to)) {
            ledger->before[kind] = label__hold(from);
            thread->label[kind] = label__enter(to);
            labels__leave(&ledger->labels, from);
            changed = (nsd_kinds) (changed | NSD_KIND_BIT(kind));
        }
        labels__drop(&ledger->labels, to);
    }
    ledger->before_kinds = changed;
    ledger->touched = (nsd_kinds) (ledger->touched | changed);
    return changed;
}

/* Sets the marks that an unshare leaves for good; returns those that are new. */
static nsd_kinds make_private(struct nsd_thread *thread, const struct nsd_event *event) {
    nsd_kinds private = kinds__of_unshare(event->arguments[0]);
    unsigned marks = ((private & NSD_PRIVATE_FS) != 0 ? NSD_THREAD_PRIVATE_FS : 0) |
                     ((private & NSD_PRIVATE_FILES) != 0 ? NSD_THREAD_PRIVATE_FILES : 0);

    marks &= ~(unsigned) thread->marks;
    thread->marks = (uint8_t) (thread->marks | marks);
    return (nsd_kinds) (((marks & NSD_THREAD_PRIVATE_FS) != 0 ? NSD_PRIVATE_FS : 0) |
                        ((marks & NSD_THREAD_PRIVATE_FILES) != 0 ? NSD_PRIVATE_FILES : 0));
}

/* ---- home ---- */

/* Whether the process has one thread; the kernel's count decides where it was asked for. */
static bool is_single(const struct nsd_ledger *ledger, const struct nsd_event *event) {
    if (event->kernel_threads != 0)
        return event->kernel_threads == 1;
    return ledger__is_single_threaded(ledger) && threads__expecting(&ledger->threads) == 0;
}

void switching__settle(struct nsd_ledger *ledger, struct nsd_thread *thread) {
    if (ledger__away(ledger, thread) == 0)
        return;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        home__move(&ledger->home, &ledger->labels, kind, thread->label[kind]);
    /* The thread was away; now the whole process is here. */
    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer)
        departure->is_move = true;
}

void switching__complete_collective(struct nsd_ledger *ledger) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        struct nsd_thread *thread = ledger__first_thread(ledger);

        if (ledger->collective[kind] == 0 ||
            ledger->collective[kind] < ledger__threads_live(ledger))
            continue;
        if (ledger->leader != NULL)
            thread = ledger->leader;
        if (thread != NULL)
            home__move_all(&ledger->home, &ledger->labels, kind, thread->label[kind]);
        for (thread = ledger__first_thread(ledger); thread != NULL;
             thread = ledger__next_thread(thread))
            thread->collective = (nsd_kinds) (thread->collective & ~NSD_KIND_BIT(kind));
        ledger->collective[kind] = 0;
    }
}

static void join_collective(struct nsd_ledger *ledger, struct nsd_thread *thread, nsd_kinds kinds) {
    FOR_EACH_KIND(kind, kinds & ~thread->collective) {
        thread->collective = (nsd_kinds) (thread->collective | NSD_KIND_BIT(kind));
        ledger->collective[kind]++;
    }
    switching__complete_collective(ledger);
}

/* ---- departures ---- */

/* Whether the event's caller opened the departure. Only its calls add kinds to the departure. */
static bool is_own(const struct nsd_switch *departure, const struct nsd_event *event) {
    return departure->runtime == event->runtime && (event->runtime == NSD_RUNTIME_THREADS ||
                                                    departure->began.goroutine == event->goroutine);
}

static bool is_back(const struct nsd_thread *thread, const struct nsd_switch *departure,
                    enum nsd_kind kind) {
    return label__same(thread->label[kind], departure->before[kind]);
}

/*
 * The departure's kinds in which the thread is at home, or in the namespace that it was in before
 * the departure. In a move only the second counts.
 */
static nsd_kinds kinds_home(const struct nsd_thread *thread, const struct nsd_switch *departure,
                            nsd_kinds away) {
    nsd_kinds home = departure->is_move ? 0 : (nsd_kinds) (departure->kinds & ~away);

    FOR_EACH_KIND(kind, departure->kinds) {
        if (is_back(thread, departure, kind))
            home = (nsd_kinds) (home | NSD_KIND_BIT(kind));
    }
    return home;
}

static void clear_failure(struct nsd_switch *departure, nsd_kinds home) {
    if (departure->failure == NULL)
        return;
    departure->failure->kinds = (nsd_kinds) (departure->failure->kinds & ~home);
    if (departure->failure->kinds == 0)
        witness__keep(&departure->failure, NULL, 0);
}

/*
 * Closes the departures that this event completely brought home, and marks in the others what came
 * home. Returns the changed kinds that are such a way back: they open no departure.
 */
static nsd_kinds come_home(struct nsd_ledger *ledger, struct nsd_thread *thread,
                           const struct nsd_event *event, struct nsd_change *change,
                           nsd_kinds away) {
    struct nsd_switch **link = &thread->switches;
    nsd_kinds explained = 0;

    while (*link != NULL) {
        struct nsd_switch *departure = *link;
        nsd_kinds home = kinds_home(thread, departure, away);
        nsd_kinds now = (nsd_kinds) (home & change->changed);

        explained = (nsd_kinds) (explained | now);
        clear_failure(departure, home);
        departure->came_home = (nsd_kinds) (departure->came_home | now);
        if (now != 0)
            visits__clear_over(&ledger->visits, departure, event);
        if (home == departure->kinds) {
            visits__learn(&ledger->visits, departure, event);
            *link = departure->outer;
            switches__close(&ledger->switches, departure, true);
            change->closed = departure;
            continue;
        }
        if (now != 0)
            visits__learn_of_switch(departure, event);
        link = &departure->outer;
    }
    return explained;
}

/* The newest open departure of this caller that is no move; NULL if there is none. */
static struct nsd_switch *own_switch(const struct nsd_thread *thread,
                                     const struct nsd_event *event) {
    struct nsd_switch *departure = thread->switches;

    while (departure != NULL && (departure->is_move || !is_own(departure, event)))
        departure = departure->outer;
    return departure;
}

static struct nsd_switch *begin(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                const struct nsd_event *event) {
    struct nsd_switch *departure = switches__begin(&ledger->switches, event, thread->serial);

    if (departure == NULL)
        return NULL;
    departure->outer = thread->switches;
    thread->switches = departure;
    return departure;
}

static void add_kinds(struct nsd_ledger *ledger, struct nsd_switch *departure, nsd_kinds kinds) {
    FOR_EACH_KIND(kind, kinds) {
        switch__add_kind(departure, kind, ledger->before[kind]);
    }
    departure->began.kinds = departure->kinds;
}

/*
 * The only thread switched. Its record is a move and no fault; it is kept because a thread may be
 * created before the process goes back, and a rule then asks where it came from.
 */
static void note_move(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, struct nsd_change *change,
                      nsd_kinds explained) {
    nsd_kinds fresh = (nsd_kinds) (change->changed & ~explained);
    struct nsd_switch *departure;
    unsigned moves = 0;

    for (departure = thread->switches; departure != NULL; departure = departure->outer) {
        departure->is_move = true;
        if ((fresh & ~departure->kinds) == 0)
            fresh = 0;
        moves++;
    }
    if (fresh == 0)
        return;
    departure = moves < MOVES_MOST ? begin(ledger, thread, event) : thread->switches;
    if (departure == NULL)
        return;
    departure->is_move = true;
    if (moves < MOVES_MOST)
        change->opened = departure;
    add_kinds(ledger, departure, fresh);
}

/*
 * Opens a departure or adds kinds to it. `departed`: kinds in which the thread is away, without
 * those in which this call undid a departure.
 */
static void note_departure(struct nsd_ledger *ledger, struct nsd_thread *thread,
                           const struct nsd_event *event, struct nsd_change *change,
                           nsd_kinds departed) {
    nsd_kinds fresh = change->changed & departed;
    struct nsd_switch *departure = own_switch(thread, event);

    if (fresh == 0)
        return;
    if (departure == NULL) {
        departure = begin(ledger, thread, event);
        change->opened = departure;
    }
    if (departure == NULL)
        return;
    add_kinds(ledger, departure, fresh);
    if ((fresh & NSD_KIND_BIT(NSD_KIND_MNT)) != 0) {
        if (event->call != NSD_CALL_UNSHARE)
            departure->used_mnt = true;
        switches__set_fresh_mnt(&ledger->switches, departure,
                                event->call == NSD_CALL_UNSHARE && !departure->used_mnt);
    }
}

/* ---- restores that fail ---- */

static void note_failure(struct nsd_ledger *ledger, struct nsd_thread *thread,
                         const struct nsd_event *event) {
    if (event->call != NSD_CALL_SETNS)
        return;
    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer) {
        nsd_kinds kinds =
            departure->is_move ? 0 : targets__wanted_home(ledger, thread, departure, event);

        if (kinds == 0)
            continue;
        departure->restore_failed = true;
        visits__learn_of_switch(departure, event);
        if (departure->failure == NULL)
            witness__keep(&departure->failure, event, kinds);
        else
            departure->failure->kinds = (nsd_kinds) (departure->failure->kinds | kinds);
    }
}

void switching__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, struct nsd_change *change) {
    struct nsd_targets targets;
    struct nsd_switch *own;
    nsd_kinds before, away, explained;
    bool single;

    if (event->result < 0) {
        note_failure(ledger, thread, event);
        return;
    }
    change->collective = (thread->marks & NSD_THREAD_COLLECTIVE) != 0;
    thread->marks &= (uint8_t) ~NSD_THREAD_COLLECTIVE;
    single = is_single(ledger, event);
    if (single) {
        ledger->home.is_set = false;
    } else if (ledger__is_single_threaded(ledger)) {
        /* The kernel counts a thread that the ledger does not know: home stays as it was. */
        ledger->home.is_set = true;
    }
    own = own_switch(thread, event);
    before = ledger__away(ledger, thread);
    targets__find(ledger, thread, event, &targets);
    if (event->call != NSD_CALL_SETNS && !single)
        change->made_private = make_private(thread, event);
    if (single)
        switching__settle(ledger, thread);
    change->changed = enter(ledger, thread, &targets);
    change->moved_process = single && change->changed != 0;
    FOR_EACH_KIND(kind, change->changed) {
        if (single)
            home__move(&ledger->home, &ledger->labels, kind, thread->label[kind]);
        else if (thread == ledger->leader)
            home__leader_entered(&ledger->home, &ledger->labels, kind, thread->label[kind]);
    }
    if (change->collective)
        join_collective(ledger, thread, targets.kinds);
    away = ledger__away(ledger, thread);
    change->left = (nsd_kinds) (change->changed & ~before & away);
    change->came_home = (nsd_kinds) (change->changed & before & ~away);
    if (own != NULL)
        visits__note_repetition(&ledger->visits, own, event, change->changed != 0);
    if (change->changed == 0) {
        if (event->call == NSD_CALL_SETNS)
            dependence__note_idle_restore(ledger, thread, event, targets.descriptor);
        return;
    }
    explained = come_home(ledger, thread, event, change, away);
    if (single)
        note_move(ledger, thread, event, change, explained);
    else if (!change->collective)
        note_departure(ledger, thread, event, change, (nsd_kinds) (away & ~explained));
}
