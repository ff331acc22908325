/*
 * The ledger's door, see ledger.h: each event goes by its call's effect to those who keep the
 * records it touches. Here stand births, deaths, locks, descriptors, and what others may ask.
 */
#include "ledger/ledger.h"
#include "ledger/dependence.h"
#include "ledger/switching.h"
#include <stddef.h>

/* ---- the image ---- */

static void hold_home_labels(struct nsd_ledger *ledger, struct nsd_thread *thread) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        thread->label[kind] = label__enter(ledger->home.stood[kind]);
}

void ledger__begin(struct nsd_ledger *ledger, int32_t pid, int32_t tid, enum nsd_runtime runtime) {
    struct nsd_label *start[NSD_KINDS];
    struct nsd_thread *thread;

    /* A zeroed one is left alone: it may be pages that nobody has touched yet. */
    if (ledger->begun)
        memory__fill(ledger, 0, sizeof *ledger);
    ledger->begun = true;
    ledger->pid = pid;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        start[kind] = labels__mint(&ledger->labels, kind);
    home__begin(&ledger->home, &ledger->labels, start);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        labels__drop(&ledger->labels, start[kind]);
    ledger->leader = threads__add(&ledger->threads, pid);
    if (ledger->leader != NULL) {
        hold_home_labels(ledger, ledger->leader);
        ledger->leader->runtime = (uint8_t) runtime;
    }
    if (tid == pid)
        return;
    thread = threads__add(&ledger->threads, tid);
    if (thread != NULL) {
        hold_home_labels(ledger, thread);
        thread->marks = NSD_THREAD_FOUND;
        thread->runtime = (uint8_t) runtime;
    }
}

void ledger__set_reader(struct nsd_ledger *ledger, nsd_read_word read_word, void *context) {
    ledger->visits.read_word = read_word;
    ledger->visits.read_context = context;
}

static void forget_change(struct nsd_ledger *ledger) {
    FOR_EACH_KIND(kind, ledger->before_kinds) {
        labels__drop(&ledger->labels, ledger->before[kind]);
        ledger->before[kind] = NULL;
    }
    ledger->before_kinds = 0;
    switches__bury(&ledger->switches, &ledger->labels);
    threads__bury(&ledger->threads, &ledger->labels);
}

static void remove_thread(struct nsd_ledger *ledger, struct nsd_thread *thread);

void ledger__end(struct nsd_ledger *ledger) {
    struct nsd_label *none[NSD_KINDS] = {NULL};

    if (!ledger->begun)
        return;
    forget_change(ledger);
    while (ledger->threads.births != NULL)
        threads__give_up(&ledger->threads, &ledger->labels, ledger->threads.births);
    while (ledger->threads.table != NULL) {
        remove_thread(ledger, ledger->threads.table);
        forget_change(ledger);
    }
    descriptors__reset(&ledger->descriptors, &ledger->labels);
    for (unsigned i = 0; i < NSD_UNUSED_DEAD; i++)
        switch__drop(&ledger->labels, ledger->unused_dead[i]);
    switches__reset(&ledger->switches);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        home__move_all(&ledger->home, &ledger->labels, kind, NULL);
    home__begin(&ledger->home, &ledger->labels, none);
    memory__fill(ledger, 0, sizeof *ledger);
}

/* ---- births ---- */

/* One thread becomes two: home is where the first one stands. */
static void second_thread(struct nsd_ledger *ledger) {
    if (!ledger->home.is_set && ledger__is_single_threaded(ledger))
        switching__settle(ledger, ledger->leader);
}

static struct nsd_thread *add_thread(struct nsd_ledger *ledger, int32_t tid) {
    struct nsd_thread *old = threads__find(&ledger->threads, tid);

    /* Its death was not seen; this is another thread with its number. */
    if (old != NULL) {
        remove_thread(ledger, old);
        forget_change(ledger);
    }
    if (ledger__threads_live(ledger) <= 1)
        second_thread(ledger);
    return threads__add(&ledger->threads, tid);
}

static void stand_in(struct nsd_ledger *ledger, struct nsd_thread *thread, unsigned kind,
                     struct nsd_label *label) {
    labels__leave(&ledger->labels, thread->label[kind]);
    thread->label[kind] = label__enter(label);
    ledger->touched = (nsd_kinds) (ledger->touched | NSD_KIND_BIT(kind));
}

static struct nsd_thread *find_thread(struct nsd_ledger *ledger, const struct nsd_event *event) {
    struct nsd_thread *thread = add_thread(ledger, event->tid);

    if (thread == NULL)
        return NULL;
    thread->marks = NSD_THREAD_FOUND;
    hold_home_labels(ledger, thread);
    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        unsigned kind = event->identity[i].kind;
        struct nsd_label *label;

        /* Where home itself is not known, nothing can be said to differ from it. */
        if (kind >= NSD_KINDS || !label__is_identified(thread->label[kind]))
            continue;
        label = labels__of(&ledger->labels, &event->identity[i]);
        if (label == NULL)
            continue;
        stand_in(ledger, thread, kind, label);
        labels__drop(&ledger->labels, label);
    }
    return thread;
}

/*
 * The parent's open switch in whose course the child is born; of a parent that was itself born
 * away, the one that it was born in.
 */
static struct nsd_switch *switch_at_birth(const struct nsd_ledger *ledger,
                                          struct nsd_thread *parent) {
    if (parent->switches != NULL)
        return parent->switches;
    return ledger__away(ledger, parent) != 0 ? parent->born_switch : NULL;
}

/*
 * The Go runtime never makes an M from a thread that is locked or in C (runtime/proc.go, newm since
 * 1.10): what is created there is a C library's own thread.
 */
static bool creates_m(const struct nsd_event *event) {
    return event->runtime == NSD_RUNTIME_GO && !event->library_created &&
           event->lock != NSD_LOCK_EXTERNAL && event->lock != NSD_LOCK_CGO;
}

static void expect_thread(struct nsd_ledger *ledger, struct nsd_thread *parent,
                          const struct nsd_event *event) {
    struct nsd_birth *birth;

    if (event->token == 0)
        return;
    if (ledger__threads_live(ledger) <= 1)
        second_thread(ledger);
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
        stand_in(ledger, thread, kind, label);
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

/* No event of the parent's: what it is now has to do. */
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

static struct nsd_thread *born(struct nsd_ledger *ledger, const struct nsd_event *event) {
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
            hold_home_labels(ledger, child);
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

static void remove_thread(struct nsd_ledger *ledger, struct nsd_thread *thread) {
    for (struct nsd_switch *change = thread->switches; change != NULL; change = change->outer) {
        dependence__keep_unused(ledger, change);
        switches__close(&ledger->switches, change, false);
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

static void apply_thread(struct nsd_ledger *ledger, struct nsd_thread *thread,
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
        remove_thread(ledger, thread);
        break;
    default:
        break;
    }
}

/* ---- locks ---- */

static void apply_lock(struct nsd_thread *thread, const struct nsd_event *event) {
    if (event->call == NSD_CALL_PIN)
        thread->pins++;
    if (event->call == NSD_CALL_UNPIN && thread->pins > 0)
        thread->pins--;
    if (event->call == NSD_CALL_ALL_THREADS)
        thread->marks |= NSD_THREAD_COLLECTIVE;
}

/* Who ran on the thread, as of this event. */
static void note_runtime(struct nsd_thread *thread, const struct nsd_event *event) {
    thread->runtime = event->runtime;
    if (event->runtime == NSD_RUNTIME_GO) {
        thread->goroutine = event->goroutine;
        thread->lock = event->lock;
        thread->lock_epoch = event->lock_epoch;
    } else {
        thread->goroutine = 0;
        thread->lock = thread->pins > 0 ? NSD_LOCK_PINNED : NSD_LOCK_NONE;
        thread->lock_epoch = 0;
    }
}

/* ---- descriptors ---- */

/* The thread whose namespace the opened path leads to; NULL if it is none of ours. */
static struct nsd_thread *owner_of_path(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                        const struct nsd_event *event) {
    switch (event->path_owner) {
    case NSD_PATH_SELF:
        return ledger->leader;
    case NSD_PATH_THREAD_SELF:
        return thread;
    case NSD_PATH_TASK:
    case NSD_PATH_PID:
        return threads__find(&ledger->threads, event->other_tid);
    default:
        return NULL;
    }
}

/*
 * /proc/TID/ns/pid is the namespace that the thread is in, but setns by it changes the one for its
 * children: as a descriptor it is of that kind, and no label of the owner's is meant.
 */
static unsigned kind_by_setns(unsigned kind) {
    switch (kind) {
    case NSD_KIND_PID:
        return NSD_KIND_PID_FOR_CHILDREN;
    case NSD_KIND_TIME:
        return NSD_KIND_TIME_FOR_CHILDREN;
    default:
        return kind;
    }
}

/* Where an opened descriptor leads; held for the caller. NULL: not known. */
static struct nsd_label *label_of_opened(struct nsd_ledger *ledger, struct nsd_thread *owner,
                                         const struct nsd_event *event, unsigned kind) {
    struct nsd_identity identity = {.kind = kind_by_setns(kind)};

    if (event->identities > 0 && kind_by_setns(event->identity[0].kind) == identity.kind) {
        identity = event->identity[0];
        identity.kind = kind_by_setns(kind);
    }
    /* What the kernel says of the descriptor goes before what the path seems to say. */
    if (owner != NULL && identity.kind == kind &&
        labels__learn(&ledger->labels, owner->label[kind], &identity))
        return label__hold(label__real(owner->label[kind]));
    return identity.inode != 0 || identity.id != 0 ? labels__of(&ledger->labels, &identity) : NULL;
}

static void open_descriptor(struct nsd_ledger *ledger, struct nsd_thread *thread,
                            const struct nsd_event *event) {
    nsd_kinds kinds = event->kinds & NSD_ALL_KINDS;
    struct nsd_descriptor descriptor = {
        .fd = (int32_t) event->result,
        .opener = thread->tid,
        .opener_serial = thread->serial,
        .path_owner = event->path_owner,
    };
    unsigned kind = 0;

    if (event->result < 0 || kinds == 0 || (kinds & (kinds - 1)) != 0)
        return;
    while ((kinds & NSD_KIND_BIT(kind)) == 0)
        kind++;
    descriptor.label = label_of_opened(ledger, owner_of_path(ledger, thread, event), event, kind);
    descriptors__open(&ledger->descriptors, &ledger->labels, &descriptor);
    labels__drop(&ledger->labels, descriptor.label);
}

static void apply_descriptor(struct nsd_ledger *ledger, struct nsd_thread *thread,
                             const struct nsd_event *event) {
    uint64_t first = event->arguments[0], last = event->arguments[1];

    if ((thread->marks & NSD_THREAD_PRIVATE_FILES) != 0)
        return;
    switch (event->call) {
    case NSD_CALL_OPEN:
        open_descriptor(ledger, thread, event);
        break;
    case NSD_CALL_DUP:
        if (event->result >= 0)
            descriptors__copy(&ledger->descriptors, &ledger->labels, (int32_t) first,
                              (int32_t) event->result);
        break;
    case NSD_CALL_CLOSE:
        /* close_range says its last; close has none. EBADF means that it is not open either. */
        descriptors__close(&ledger->descriptors, &ledger->labels, first,
                           last > first ? last : first);
        break;
    default:
        break;
    }
}

/* ---- knowledge ---- */

static void apply_knowledge(struct nsd_ledger *ledger, const struct nsd_event *event) {
    int32_t tid = event->other_tid != 0 ? event->other_tid : event->tid;

    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        if (event->identity[i].kind < NSD_KINDS)
            ledger__compare(ledger, tid, event->identity[i].kind, &event->identity[i]);
    }
}

/* ---- the door ---- */

/* What the thread's own stack says, before this event changes anything, of visits that are over. */
static void look_at_visits(struct nsd_ledger *ledger, struct nsd_thread *thread,
                           const struct nsd_event *event) {
    if (event->runtime != NSD_RUNTIME_THREADS || event->call == NSD_CALL_LOCK_STATE ||
        event->call == NSD_CALL_THREAD_DIED)
        return;
    for (struct nsd_switch *change = thread->switches; change != NULL; change = change->outer) {
        if (!change->is_move && !change->visit_over &&
            visits__is_meant_to_come_back(&ledger->visits, change) &&
            visits__state(&ledger->visits, change, event) == NSD_VISIT_OVER) {
            change->visit_over = true;
            change->over_since = event->time;
        }
    }
}

static struct nsd_thread *thread_of(struct nsd_ledger *ledger, const struct nsd_event *event) {
    struct nsd_thread *thread;

    if (event->call == NSD_CALL_THREAD_BORN)
        return born(ledger, event);
    thread = threads__find(&ledger->threads, event->tid);
    /* The last thread's end is seen before the image's: that is no first meeting with it. */
    if (thread == NULL && event->call != NSD_CALL_THREAD_DIED && event->call != NSD_CALL_EXIT)
        thread = find_thread(ledger, event);
    return thread;
}

void ledger__apply(struct nsd_ledger *ledger, const struct nsd_event *event,
                   struct nsd_change *change) {
    struct nsd_thread *thread;

    *change = (struct nsd_change){.before = ledger->before};
    forget_change(ledger);
    if (event->call >= NSD_CALLS)
        return;
    if (nsd_call_table[event->call].effect == NSD_EFFECT_KNOWLEDGE) {
        apply_knowledge(ledger, event);
        return;
    }
    thread = change->thread = thread_of(ledger, event);
    if (thread == NULL)
        return;
    if (thread->switches != NULL)
        look_at_visits(ledger, thread, event);
    if (event->call != NSD_CALL_THREAD_BORN && event->call != NSD_CALL_THREAD_DIED)
        note_runtime(thread, event);
    switch (nsd_call_table[event->call].effect) {
    case NSD_EFFECT_SWITCH:
        switching__apply(ledger, thread, event, change);
        break;
    case NSD_EFFECT_THREAD:
        apply_thread(ledger, thread, event, change);
        break;
    case NSD_EFFECT_LOCK:
        apply_lock(thread, event);
        if (event->call != NSD_CALL_LOCK_STATE)
            note_runtime(thread, event);
        break;
    case NSD_EFFECT_DESCRIPTOR:
        apply_descriptor(ledger, thread, event);
        break;
    default:
        break;
    }
    if ((thread->marks & NSD_THREAD_DEAD) != 0)
        return;
    dependence__note(ledger, thread, event, change);
    change->current = thread->switches;
}

/* ---- questions ---- */

struct nsd_thread *ledger__first_thread(struct nsd_ledger *ledger) {
    return ledger->threads.table;
}

struct nsd_thread *ledger__next_thread(struct nsd_thread *thread) {
    return thread->hh.next;
}

struct nsd_thread *ledger__thread(struct nsd_ledger *ledger, int32_t tid) {
    return threads__find(&ledger->threads, tid);
}

nsd_kinds ledger__away(const struct nsd_ledger *ledger, const struct nsd_thread *thread) {
    nsd_kinds away = 0;

    /* Asked again and again for each event: of most kinds nothing ever changed. */
    FOR_EACH_KIND(kind, ledger->touched) {
        if (home__is_away(&ledger->home, kind, thread->label[kind]))
            away = (nsd_kinds) (away | NSD_KIND_BIT(kind));
    }
    return (nsd_kinds) (away & ~thread->collective);
}

struct nsd_label *ledger__home(const struct nsd_ledger *ledger, enum nsd_kind kind) {
    return ledger->home.stood[kind];
}

bool ledger__is_leader(const struct nsd_ledger *ledger, const struct nsd_thread *thread) {
    return thread->tid == ledger->pid;
}

int32_t ledger__tid(const struct nsd_thread *thread) {
    return thread->tid;
}

int32_t ledger__pinned(const struct nsd_thread *thread) {
    return (int32_t) thread->pins;
}

bool ledger__is_single_threaded(const struct nsd_ledger *ledger) {
    /* A leader that has ended stays in the thread group to its end (kernel/exit.c, release_task).
     */
    return threads__live(&ledger->threads) <= 1 && ledger->leader != NULL;
}

uint32_t ledger__threads_seen(const struct nsd_ledger *ledger) {
    return ledger->threads.seen;
}

/* A thread that is on its way counts: its creator may be gone before it makes its first event. */
uint32_t ledger__threads_live(const struct nsd_ledger *ledger) {
    return threads__live(&ledger->threads) + threads__expecting(&ledger->threads);
}

uint64_t ledger__lost(const struct nsd_ledger *ledger) {
    return (uint64_t) ledger->threads.lost + ledger->switches.lost + ledger->descriptors.lost;
}

bool ledger__unidentified(struct nsd_ledger *ledger, int32_t tid, enum nsd_kind kind) {
    const struct nsd_thread *thread = threads__find(&ledger->threads, tid);

    return thread != NULL && thread->label[kind] != NULL &&
           !label__is_identified(thread->label[kind]);
}

enum nsd_comparison ledger__compare(struct nsd_ledger *ledger, int32_t tid, enum nsd_kind kind,
                                    const struct nsd_identity *identity) {
    struct nsd_thread *thread = threads__find(&ledger->threads, tid);
    bool known;

    if (thread == NULL || thread->label[kind] == NULL)
        return NSD_COMPARE_UNKNOWN;
    known = label__is_identified(thread->label[kind]);
    if (!labels__learn(&ledger->labels, thread->label[kind], identity))
        return NSD_COMPARE_DIFFERS;
    return known ? NSD_COMPARE_AGREES : NSD_COMPARE_LEARNT;
}
