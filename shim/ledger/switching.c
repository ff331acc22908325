/*
 * setns and unshare, see switching.h. In order: where the call leads, what that changes for the
 * thread, what it means for home, which switches it begins, goes on with or ends.
 */
#include "ledger/switching.h"
#include "ledger/dependence.h"
#include <asm/errno.h>
#include <stddef.h>

/* Moves of one thread that are not undone: a daemon's few steps at start. More share a record. */
#define MOVES_MOST 8u

/* Where the call leads, for the kinds it names; held. */
struct targets {
    struct nsd_label *label[NSD_KINDS]; /* of the kinds named, the others are not filled */
    nsd_kinds kinds;
    const struct nsd_descriptor *descriptor; /* by which it went, where that is known */
};

static void aim(struct targets *targets, enum nsd_kind kind, struct nsd_label *held) {
    targets->label[kind] = held;
    targets->kinds = (nsd_kinds) (targets->kinds | NSD_KIND_BIT(kind));
}

/* A thread with descriptors of its own says nothing about the numbers of the others. */
static struct nsd_descriptor *descriptor_of(struct nsd_ledger *ledger,
                                            const struct nsd_thread *thread, uint64_t fd) {
    if ((thread->marks & NSD_THREAD_PRIVATE_FILES) != 0)
        return NULL;
    return descriptors__find(&ledger->descriptors, fd & 0xffffffffu);
}

static void aim_by_identities(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                              const struct nsd_event *event, struct targets *targets) {
    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        const struct nsd_identity *identity = &event->identity[i];
        struct nsd_descriptor *descriptor = NULL;
        uint64_t fd = event->arguments[0];

        if (identity->kind >= NSD_KINDS || (targets->kinds & NSD_KIND_BIT(identity->kind)) != 0)
            continue;
        if (event->from_descriptor)
            descriptor = descriptor_of(ledger, thread, fd);
        if (descriptor != NULL && descriptor->label != NULL &&
            (descriptor->label->kind != identity->kind ||
             !labels__learn(&ledger->labels, descriptor->label, identity))) {
            /* Closed and used again behind our back. */
            descriptors__close(&ledger->descriptors, &ledger->labels, fd & 0xffffffffu,
                               fd & 0xffffffffu);
            descriptor = NULL;
        }
        if (descriptor != NULL && descriptor->label != NULL)
            aim(targets, identity->kind, label__hold(label__real(descriptor->label)));
        else
            aim(targets, identity->kind, labels__of(&ledger->labels, identity));
        targets->descriptor = descriptor;
    }
}

static void aim_setns(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                      const struct nsd_event *event, struct targets *targets) {
    const struct nsd_descriptor *descriptor;

    if (event->identities > 0) {
        aim_by_identities(ledger, thread, event, targets);
        return;
    }
    descriptor = descriptor_of(ledger, thread, event->arguments[0]);
    if (descriptor != NULL && descriptor->label != NULL) {
        aim(targets, descriptor->label->kind, label__hold(label__real(descriptor->label)));
        targets->descriptor = descriptor;
        return;
    }
    FOR_EACH_KIND(kind, event->kinds) {
        aim(targets, kind, labels__mint(&ledger->labels, kind));
    }
}

static void aim_unshare(struct nsd_ledger *ledger, const struct nsd_event *event,
                        struct targets *targets) {
    nsd_kinds kinds = (nsd_kinds) (event->kinds | kinds__of_unshare(event->arguments[0]));

    FOR_EACH_KIND(kind, kinds) {
        struct nsd_label *label = labels__mint(&ledger->labels, kind);

        if (label != NULL)
            label->fresh = true;
        aim(targets, kind, label);
    }
}

/* Puts the thread there; returns the kinds that changed. Takes over what `targets` holds. */
static nsd_kinds enter(struct nsd_ledger *ledger, struct nsd_thread *thread,
                       struct targets *targets) {
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

/* ---- private fs and files ---- */

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
    /* Away it was; now this is where the process is. */
    for (struct nsd_switch *change = thread->switches; change != NULL; change = change->outer)
        change->is_move = true;
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

/* ---- switches ---- */

static bool is_own(const struct nsd_switch *change, const struct nsd_event *event) {
    return change->runtime == event->runtime &&
           (event->runtime == NSD_RUNTIME_THREADS || change->began.goroutine == event->goroutine);
}

static bool is_back(const struct nsd_thread *thread, const struct nsd_switch *change,
                    enum nsd_kind kind) {
    return label__same(thread->label[kind], change->before[kind]);
}

/* Of the switch's kinds those in which the thread is home, or where the switch found it. */
static nsd_kinds kinds_home(const struct nsd_thread *thread, const struct nsd_switch *change,
                            nsd_kinds away) {
    nsd_kinds home = change->is_move ? 0 : (nsd_kinds) (change->kinds & ~away);

    FOR_EACH_KIND(kind, change->kinds) {
        if (is_back(thread, change, kind))
            home = (nsd_kinds) (home | NSD_KIND_BIT(kind));
    }
    return home;
}

static void forgive_failure(struct nsd_switch *change, nsd_kinds home) {
    if (change->failure == NULL)
        return;
    change->failure->kinds = (nsd_kinds) (change->failure->kinds & ~home);
    if (change->failure->kinds == 0)
        witness__keep(&change->failure, NULL, 0);
}

/*
 * Ends the switches that this event brought home, and marks in the others what came home. Returns
 * the changed kinds that this explains: a call that goes back begins no switch.
 */
static nsd_kinds come_home(struct nsd_ledger *ledger, struct nsd_thread *thread,
                           const struct nsd_event *event, struct nsd_change *out, nsd_kinds away) {
    struct nsd_switch **link = &thread->switches;
    nsd_kinds explained = 0;

    while (*link != NULL) {
        struct nsd_switch *change = *link;
        nsd_kinds home = kinds_home(thread, change, away);
        nsd_kinds now = (nsd_kinds) (home & out->changed);

        explained = (nsd_kinds) (explained | now);
        forgive_failure(change, home);
        change->came_home = (nsd_kinds) (change->came_home | now);
        if (now != 0)
            visits__forgive(&ledger->visits, change, event);
        if (home == change->kinds) {
            visits__learn(&ledger->visits, change, event);
            *link = change->outer;
            switches__close(&ledger->switches, change, true);
            out->closed = change;
            continue;
        }
        if (now != 0)
            visits__learn_of_switch(change, event);
        link = &change->outer;
    }
    return explained;
}

static struct nsd_switch *own_switch(const struct nsd_thread *thread,
                                     const struct nsd_event *event) {
    struct nsd_switch *change = thread->switches;

    while (change != NULL && (change->is_move || !is_own(change, event)))
        change = change->outer;
    return change;
}

static struct nsd_switch *begin(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                const struct nsd_event *event) {
    struct nsd_switch *change = switches__begin(&ledger->switches, event, thread->serial);

    if (change == NULL)
        return NULL;
    change->outer = thread->switches;
    thread->switches = change;
    return change;
}

static void add_kinds(struct nsd_ledger *ledger, struct nsd_switch *change, nsd_kinds kinds) {
    FOR_EACH_KIND(kind, kinds) {
        switch__add_kind(change, kind, ledger->before[kind]);
    }
    change->began.kinds = change->kinds;
}

/* The only thread switches: the record says where from, in case a thread is made before it is back.
 */
static void note_move(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, struct nsd_change *out, nsd_kinds explained) {
    nsd_kinds fresh = (nsd_kinds) (out->changed & ~explained);
    struct nsd_switch *change;
    unsigned moves = 0;

    for (change = thread->switches; change != NULL; change = change->outer) {
        change->is_move = true;
        if ((fresh & ~change->kinds) == 0)
            fresh = 0;
        moves++;
    }
    if (fresh == 0)
        return;
    change = moves < MOVES_MOST ? begin(ledger, thread, event) : thread->switches;
    if (change == NULL)
        return;
    change->is_move = true;
    if (moves < MOVES_MOST)
        out->opened = change;
    add_kinds(ledger, change, fresh);
}

/* `departed`: kinds in which it is away and that no way back explains. */
static void note_departure(struct nsd_ledger *ledger, struct nsd_thread *thread,
                           const struct nsd_event *event, struct nsd_change *out,
                           nsd_kinds departed) {
    nsd_kinds fresh = out->changed & departed;
    struct nsd_switch *change = own_switch(thread, event);

    if (fresh == 0)
        return;
    if (change == NULL) {
        change = begin(ledger, thread, event);
        out->opened = change;
    }
    if (change == NULL)
        return;
    add_kinds(ledger, change, fresh);
    if ((fresh & NSD_KIND_BIT(NSD_KIND_MNT)) != 0) {
        if (event->call != NSD_CALL_UNSHARE)
            change->used_mnt = true;
        switches__set_fresh_mnt(&ledger->switches, change,
                                event->call == NSD_CALL_UNSHARE && !change->used_mnt);
    }
}

/* ---- restores that fail ---- */

/* Kinds of the switch that a failed setns wanted to bring home; 0 if it wanted something else. */
static nsd_kinds wanted_home(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                             const struct nsd_switch *change, const struct nsd_event *event) {
    nsd_kinds away = (nsd_kinds) (change->kinds & ledger__away(ledger, thread));
    const struct nsd_descriptor *descriptor = descriptor_of(ledger, thread, event->arguments[0]);
    struct nsd_label *label = NULL;
    nsd_kinds kinds = 0;

    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        const struct nsd_identity *identity = &event->identity[i];

        label = labels__find(&ledger->labels, identity);
        if (label != NULL && (label__same(label, change->before[label->kind]) ||
                              !home__is_away(&ledger->home, label->kind, label)))
            kinds = (nsd_kinds) (kinds | NSD_KIND_BIT(label->kind));
    }
    if (event->identities > 0)
        return kinds & away;
    if (descriptor != NULL && descriptor->label != NULL && event->result != -EBADF) {
        label = descriptor->label;
        if (label__same(label, change->before[label->kind]) ||
            !home__is_away(&ledger->home, label->kind, label))
            return NSD_KIND_BIT(label->kind) & away;
        return 0;
    }
    /* It leads nowhere: closed too early, or used again for something that is no namespace. */
    if (event->result != -EBADF && event->result != -EINVAL)
        return 0;
    kinds = event->kinds & NSD_ALL_KINDS;
    return kinds != 0 ? kinds & away : away;
}

static void note_failure(struct nsd_ledger *ledger, struct nsd_thread *thread,
                         const struct nsd_event *event) {
    if (event->call != NSD_CALL_SETNS)
        return;
    for (struct nsd_switch *change = thread->switches; change != NULL; change = change->outer) {
        nsd_kinds kinds = change->is_move ? 0 : wanted_home(ledger, thread, change, event);

        if (kinds == 0)
            continue;
        change->restore_failed = true;
        visits__learn_of_switch(change, event);
        if (change->failure == NULL)
            witness__keep(&change->failure, event, kinds);
        else
            change->failure->kinds = (nsd_kinds) (change->failure->kinds | kinds);
    }
}

void switching__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, struct nsd_change *out) {
    struct targets targets;
    struct nsd_switch *own;
    nsd_kinds before, away, explained;
    bool single;

    if (event->result < 0) {
        note_failure(ledger, thread, event);
        return;
    }
    out->collective = (thread->marks & NSD_THREAD_COLLECTIVE) != 0;
    thread->marks &= (uint8_t) ~NSD_THREAD_COLLECTIVE;
    single = is_single(ledger, event);
    if (single) {
        ledger->home.is_set = false;
    } else if (ledger__is_single_threaded(ledger)) {
        /* The kernel counts a thread that we have not met yet: home is what it was before this. */
        ledger->home.is_set = true;
    }
    own = own_switch(thread, event);
    before = ledger__away(ledger, thread);
    targets.kinds = 0;
    targets.descriptor = NULL;
    if (event->call == NSD_CALL_SETNS) {
        aim_setns(ledger, thread, event, &targets);
    } else {
        aim_unshare(ledger, event, &targets);
        if (!single)
            out->made_private = make_private(thread, event);
    }
    if (single)
        switching__settle(ledger, thread);
    out->changed = enter(ledger, thread, &targets);
    out->moved_process = single && out->changed != 0;
    FOR_EACH_KIND(kind, out->changed) {
        if (single)
            home__move(&ledger->home, &ledger->labels, kind, thread->label[kind]);
        else if (thread == ledger->leader)
            home__leader_stands(&ledger->home, &ledger->labels, kind, thread->label[kind]);
    }
    if (out->collective)
        join_collective(ledger, thread, targets.kinds);
    away = ledger__away(ledger, thread);
    out->left = (nsd_kinds) (out->changed & ~before & away);
    out->came_home = (nsd_kinds) (out->changed & before & ~away);
    if (own != NULL)
        visits__note_repetition(&ledger->visits, own, event, out->changed != 0);
    if (out->changed == 0) {
        if (event->call == NSD_CALL_SETNS)
            dependence__note_idle_restore(ledger, thread, event, targets.descriptor);
        return;
    }
    explained = come_home(ledger, thread, event, out, away);
    if (single)
        note_move(ledger, thread, event, out, explained);
    else if (!out->collective)
        note_departure(ledger, thread, event, out, (nsd_kinds) (away & ~explained));
}
