/*
 * Births and deaths of threads, see lives.h. A child inherits the state that its parent has when
 * it calls clone, not the one that the parent has when the child makes its first event.
 */
#include "ledger/lives.h"
#include "ledger/dependence.h"
#include "ledger/switching.h"
#include <stddef.h>

void lives__place_at_home(struct nsd_ledger *ledger, struct nsd_thread *thread) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        thread->label[kind] = label__enter(ledger->home.current[kind]);
}

void lives__forget_change(struct nsd_ledger *ledger) {
    FOR_EACH_KIND(kind, ledger->before_kinds) {
        labels__drop(&ledger->labels, ledger->before[kind]);
        ledger->before[kind] = NULL;
    }
    ledger->before_kinds = 0;
    switches__free_pending(&ledger->switches, &ledger->labels);
    threads__free_pending(&ledger->threads, &ledger->labels);
}

/* ---- births ---- */

/* The second thread is coming: home is where the first one is now. */
static void set_home(struct nsd_ledger *ledger) {
    if (!ledger->home.is_set && ledger__is_single_threaded(ledger))
        switching__settle(ledger, ledger->leader);
}

static struct nsd_thread *add_thread(struct nsd_ledger *ledger, int32_t tid) {
    struct nsd_thread *old = threads__find(&ledger->threads, tid);

    /* The kernel has given this tid to a new thread: the old one's death was not seen. */
    if (old != NULL) {
        lives__end(ledger, old);
        lives__forget_change(ledger);
    }
    if (ledger__threads_live(ledger) <= 1)
        set_home(ledger);
    return threads__add(&ledger->threads, tid);
}

static void move_to(struct nsd_ledger *ledger, struct nsd_thread *thread, unsigned kind,
                    struct nsd_label *label) {
    labels__leave(&ledger->labels, thread->label[kind]);
    thread->label[kind] = label__enter(label);
    ledger->touched = (nsd_kinds) (ledger->touched | NSD_KIND_BIT(kind));
}

struct nsd_thread *lives__found(struct nsd_ledger *ledger, const struct nsd_event *event) {
    struct nsd_thread *thread = add_thread(ledger, event->tid);
    /* The identities of another event (setns, open) are not those that the thread is in. */
    unsigned identities = event->call == NSD_CALL_THREAD_FOUND ? event->identities : 0;

    if (thread == NULL)
        return NULL;
    thread->marks = NSD_THREAD_FOUND;
    lives__place_at_home(ledger, thread);
    for (unsigned i = 0; i < identities && i < NSD_KINDS; i++) {
        unsigned kind = event->identity[i].kind;
        struct nsd_label *label;

        /* Home's own identity is not known: a comparison with it says nothing. */
        if (kind >= NSD_KINDS || !label__is_identified(thread->label[kind]))
            continue;
        label = labels__of(&ledger->labels, &event->identity[i]);
        if (label == NULL)
            continue;
        move_to(ledger, thread, kind, label);
        labels__drop(&ledger->labels, label);
    }
    return thread;
}

/*
 * The departure during which the child is born: the parent's own, or the one during which the
 * parent was born, if it is still away.
 */
static struct nsd_switch *switch_at_birth(const struct nsd_ledger *ledger,
                                          struct nsd_thread *parent) {
    if (parent->switches != NULL)
        return parent->switches;
    return ledger__away(ledger, parent) != 0 ? parent->born_switch : NULL;
}

/*
 * Whether the new thread is an M of the Go runtime. The runtime creates no M from a thread that is
 * locked or in C (runtime/proc.go, newm, since Go 1.10): a thread that is created there belongs to
 * a C library.
 */
static bool creates_m(const struct nsd_event *event) {
    return event->runtime == NSD_RUNTIME_GO && event->lock != NSD_LOCK_EXTERNAL &&
           event->lock != NSD_LOCK_CGO;
}

static void expect_thread(struct nsd_ledger *ledger, struct nsd_thread *parent,
                          const struct nsd_event *event) {
    struct nsd_birth *birth;

    if (event->token == 0)
        return;
    if (ledger__threads_live(ledger) <= 1)
        set_home(ledger);
    birth = threads__expect(&ledger->threads, &ledger->labels, event->token);
    if (birth == NULL)
        return;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        birth->label[kind] = label__enter(parent->label[kind]);
    birth->born_switch = switch__hold(switch_at_birth(ledger, parent));
    birth->frames = event->frames;
    birth->stack_pointer = event->stack_pointer;
    birth->parent = parent->tid;
    birth->collective = parent->collective;
    birth->away = ledger__away(ledger, parent);
    birth->marks = parent->marks & (NSD_THREAD_PRIVATE_FS | NSD_THREAD_PRIVATE_FILES);
    if (creates_m(event))
        birth->marks |= NSD_THREAD_GO_BORN;
}

static void mint_own(struct nsd_ledger *ledger, struct nsd_thread *thread, nsd_kinds kinds) {
    FOR_EACH_KIND(kind, kinds) {
        struct nsd_label *label = labels__mint(&ledger->labels, kind);

        if (label == NULL)
            continue;
        label->fresh = true;
        move_to(ledger, thread, kind, label);
        labels__drop(&ledger->labels, label);
    }
}

static void inherit(struct nsd_ledger *ledger, struct nsd_thread *child,
                    const struct nsd_birth *birth) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        child->label[kind] = label__enter(birth->label[kind]);
        if ((birth->collective & NSD_KIND_BIT(kind)) != 0)
            ledger->collective[kind]++;
    }
    child->born_switch = switch__hold(birth->born_switch);
    child->birth_frames = birth->frames;
    child->birth_stack_pointer = birth->stack_pointer;
    child->parent = birth->parent;
    child->collective = birth->collective;
    child->born_away = birth->away;
    child->marks = birth->marks;
}

/* THREAD_CREATE was not seen: the child gets what the parent has now. */
static void inherit_from_thread(struct nsd_ledger *ledger, struct nsd_thread *child,
                                struct nsd_thread *parent) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        child->label[kind] = label__enter(parent->label[kind]);
        if ((parent->collective & NSD_KIND_BIT(kind)) != 0)
            ledger->collective[kind]++;
    }
    child->born_switch = switch__hold(switch_at_birth(ledger, parent));
    child->parent = parent->tid;
    child->collective = parent->collective;
    child->born_away = ledger__away(ledger, parent);
    child->marks = parent->marks & (NSD_THREAD_PRIVATE_FS | NSD_THREAD_PRIVATE_FILES);
}

struct nsd_thread *lives__born(struct nsd_ledger *ledger, const struct nsd_event *event) {
    struct nsd_birth *birth = threads__expected(&ledger->threads, event->token);
    struct nsd_thread *child = add_thread(ledger, event->tid);
    struct nsd_thread *parent = NULL;

    if (child != NULL) {
        if (birth == NULL && event->other_tid != event->tid)
            parent = threads__find(&ledger->threads, event->other_tid);
        if (birth != NULL)
            inherit(ledger, child, birth);
        else if (parent != NULL)
            inherit_from_thread(ledger, child, parent);
        else
            lives__place_at_home(ledger, child);
        if (birth == NULL && event->runtime == NSD_RUNTIME_GO)
            child->marks |= NSD_THREAD_GO_BORN;
        child->runtime = event->runtime;
        child->lock = event->lock;
        mint_own(ledger, child, event->kinds);
    }
    if (birth != NULL)
        threads__give_up(&ledger->threads, &ledger->labels, birth);
    return child;
}

/* ---- deaths ---- */

void lives__end(struct nsd_ledger *ledger, struct nsd_thread *thread) {
    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer) {
        dependence__keep_unused(ledger, departure);
        switches__close(&ledger->switches, departure, false);
    }
    threads__remove(&ledger->threads, thread);
    if (thread == ledger->leader)
        ledger->leader = NULL;
    FOR_EACH_KIND(kind, thread->collective) {
        ledger->collective[kind]--;
    }
    switching__complete_collective(ledger);
    if (ledger__threads_live(ledger) <= 1)
        ledger->home.is_set = false;
}

void lives__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                  const struct nsd_event *event, struct nsd_change *change) {
    switch (event->call) {
    case NSD_CALL_THREAD_CREATE:
        expect_thread(ledger, thread, event);
        break;
    case NSD_CALL_THREAD_NOT_CREATED: {
        struct nsd_birth *birth = threads__expected(&ledger->threads, event->token);

        if (birth != NULL)
            threads__give_up(&ledger->threads, &ledger->labels, birth);
        break;
    }
    case NSD_CALL_THREAD_EXIT:
        thread->exit_frames = event->frames;
        break;
    case NSD_CALL_THREAD_DIED:
        change->closed = thread->switches;
        lives__end(ledger, thread);
        break;
    default:
        break;
    }
}
