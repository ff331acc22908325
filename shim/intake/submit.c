/*
 * One event after the other, under the intake's lock: recording, ledger, rules (submit.h). Knows
 * what must be asked of the kernel before an event can be understood: the standing of a thread that
 * no probe saw being born, the kernel's count of threads. Reached from signal handlers and hook
 * stacks: no libc, no wait.
 */
#include "intake/submit.h"
#include "base/arena.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "host/identity.h"
#include "host/image.h"
#include "host/look.h"
#include "intake/copies.h"
#include "intake/inside.h"
#include "intake/language.h"
#include "intake/observed.h"
#include "intake/queue.h"
#include "nsdrift.h"
#include "record/writer.h"
#include "report/report.h"
#include <stdatomic.h>

const struct nsd_language *_Atomic nsd_language;

/*
 * Both only ever go from false to true (a fork child sets them back while it is alone). Relaxed: a
 * thread that reads false a moment longer skips an event that happened at the same time as the
 * first switch or the first open.
 */
static _Atomic bool any_switch, any_descriptor;
/* Relaxed: a counter, nothing is published by it. */
static _Atomic uint32_t last_token;

static bool is_counted(const struct nsd_event *event) {
    switch (nsd_call_table[event->call].effect) {
    case NSD_EFFECT_SWITCH:
    case NSD_EFFECT_NONE:
    case NSD_EFFECT_PROCESS:
    case NSD_EFFECT_END:
        return event->call != NSD_CALL_REPORT && event->call != NSD_CALL_EXEC_FAILED;
    default:
        return false;
    }
}

/* False for what we looked up ourselves: it is no event of the program's. */
static bool is_shown(const struct nsd_event *event) {
    return event->call != NSD_CALL_IDENTITY && event->call != NSD_CALL_LOCK_STATE;
}

/* A filter of the host, or of a container, answers each copy that cannot fault with an error. */
static bool copies_are_refused(void) {
    const uint64_t word = 1;
    uint64_t copy;

    return !sys__is_forbidden() && memory__try_copy(&copy, &word, sizeof copy) != sizeof copy;
}

/*
 * A word of a visiting thread's stack. The recording keeps the answer, because a replay cannot read
 * the stack again.
 */
static bool read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                      uint64_t *value) {
    bool could_be_read = look__read_word(context, tid, address, stack_pointer, value);

    if (!could_be_read && address >= stack_pointer && copies_are_refused())
        submit__count_lost();
    record__answer(could_be_read ? *value : 0, could_be_read);
    return could_be_read;
}

/* The records are damaged: the event goes into the recording, for the command to replay. */
static void only_record(const struct nsd_event *event) {
    record__event(event);
    if (is_counted(event))
        nsd_image.events++;
    if (!record__is_on())
        submit__count_lost();
    record__event_is_over(nsd_image.events, guarded__lost());
}

void inside__apply(const struct nsd_event *event, struct nsd_change *change) {
    enum nsd_work before = guarded__set_work(NSD_WORK_CHANGING);

    /* The tid may have belonged to another thread before. */
    if (nsd_call_table[event->call].effect == NSD_EFFECT_THREAD)
        observed__forget(event->tid);
    if (intake.is_damaged) {
        change->changed = 0;
        only_record(event);
        guarded__set_work(before);
        return;
    }
    record__event(event);
    ledger__apply(&intake.ledger, event, change);
    rules__on_event(&intake.ledger, &intake.findings, event, change);
    if (is_counted(event))
        nsd_image.events++;
    if (record__is_on())
        record__event_is_over(nsd_image.events, guarded__lost());
    if (nsd_options.verbosity.number >= 3 && is_shown(event))
        report__event(event, &nsd_image);
    guarded__set_work(before);
}

static void apply_identities(int32_t tid, int32_t of_thread, nsd_kinds kinds) {
    struct nsd_event event;
    struct nsd_change change;

    submit__prepare(&event, NSD_CALL_IDENTITY, tid);
    event.other_tid = tid;
    identity__fill(&event, of_thread, kinds);
    if (event.identities > 0)
        inside__apply(&event, &change);
}

/* A thread that no probe saw being born (a raw clone) makes its first event. */
static bool announce_unknown(int32_t tid, nsd_kinds about_to_change, enum event_source source) {
    struct nsd_event event;
    struct nsd_change change;
    int32_t asked;

    if (!intake.is_damaged && ledger__thread(&intake.ledger, tid) != NULL)
        return true;
    /* Another process that shares our memory has no thread of ours. */
    if (!sys__is_forbidden() && sys__getpid() != nsd_image.pid)
        return false;
    /*
     * A fork in a handler that interrupted a call of the host: the frames of that call in the child
     * go on with the parent's tid. What they tell was before the child's image, which begins where
     * the thread is then. A filter of the host may answer with an error, which says nothing.
     */
    asked = source == SOURCE_CALLER && !sys__is_forbidden() ? sys__gettid() : tid;
    if (asked > 0 && asked != tid)
        return false;
    submit__prepare(&event, NSD_CALL_THREAD_FOUND, tid);
    identity__fill(&event, source == SOURCE_CALLER ? 0 : tid,
                   (nsd_kinds) (NSD_ALL_KINDS & ~about_to_change));
    inside__apply(&event, &change);
    if (intake.is_damaged)
        observed__note(NULL, tid, 0);
    return true;
}

/*
 * Exit events do not register an unknown thread: it may be one that we already saw die (the last
 * thread, in libc's exit), or one that never did anything else.
 */
static bool needs_thread(const struct nsd_event *event) {
    switch (event->call) {
    case NSD_CALL_THREAD_BORN:
    case NSD_CALL_THREAD_FOUND:
    case NSD_CALL_THREAD_DIED:
    case NSD_CALL_IDENTITY:
        return false;
    default:
        return nsd_call_table[event->call].effect != NSD_EFFECT_END;
    }
}

/*
 * Counts the switches of a process that seems to have one thread. Our count of threads is too low
 * if a library makes a thread by a clone of its own (SIGEV_THREAD), so the kernel is asked. The
 * question costs as much as the switch: it is asked at the first switch, the second, the fourth,
 * the eighth.
 */
static uint32_t moves; /* guarded by the lock */

static bool is_due(uint32_t number) {
    return (number & (number - 1)) == 0;
}

void inside__take_in(const struct nsd_event *given, enum event_source source) {
    struct nsd_event copy;
    struct nsd_change change;
    const struct nsd_event *event = given;
    bool is_switch = nsd_call_table[given->call].effect == NSD_EFFECT_SWITCH;
    const struct nsd_finding *last = intake.findings.last;

    if (!observed__has(event->tid, 0) && needs_thread(event) &&
        !announce_unknown(event->tid, is_switch ? event->kinds : 0, source))
        return;
    if (is_switch && event->result >= 0 && !intake.is_damaged &&
        ledger__is_single_threaded(&intake.ledger) && is_due(++moves)) {
        copy = *event;
        copy.kernel_threads = identity__kernel_threads();
        event = &copy;
    }
    inside__apply(event, &change);
    /* Without a ledger any switch may have been one. */
    if (intake.is_damaged && is_switch)
        atomic_store_explicit(&any_switch, true, memory_order_relaxed);
    if (is_switch && change.changed != 0) {
        if (!submit__any_switch())
            atomic_store_explicit(&any_switch, true, memory_order_relaxed);
        /* A setns by a descriptor that was asked leads to a namespace with a known identity. */
        if (!event->from_descriptor || !observed__has(event->tid, change.changed))
            observed__note(&intake.ledger, event->tid, change.changed);
    }
    if (event->call == NSD_CALL_OPEN && event->result >= 0 &&
        !atomic_load_explicit(&any_descriptor, memory_order_relaxed)) {
        atomic_store_explicit(&any_descriptor, true, memory_order_relaxed);
        language__watch_descriptors();
    }
    /*
     * The finding names the inode of the new namespace, so now the look at /proc is worth its
     * price. Not for a queued event: its thread may be elsewhere by now; the report asks again.
     */
    if (source == SOURCE_CALLER && intake.findings.last != last &&
        event->call == NSD_CALL_UNSHARE && event->result == 0)
        apply_identities(event->tid, 0, event->kinds & NSD_ALL_KINDS);
}

/* Out of line: few events find the queue filled. */
static __attribute__((noinline)) void take_in_queued(void) {
    struct nsd_event event;

    for (uint32_t count = queue__length(); count > 0 && queue__take(&event); count--)
        inside__take_in(&event, SOURCE_QUEUE);
}

void inside__drain(void) {
    if (!queue__is_empty())
        take_in_queued();
}

static void let_go(struct nsd_hold *hold) {
    inside__drain();
    lock__release(&intake.lock, hold);
    if (copies__is_waiting())
        copies__settle();
}

/*
 * Only a complete event is worth another round: a thread that is still publishing one may be the
 * thread that this signal handler has interrupted, and it cannot run on before the handler returns.
 */
static __attribute__((noinline)) void drain_again(struct nsd_hold *hold, int32_t tid) {
    if (queue__has_complete() && lock__take(&intake.lock, hold, tid))
        let_go(hold);
}

void inside__unlock(struct nsd_hold *hold, int32_t tid) {
    let_go(hold);
    /* Out of line: few events find the queue filled. */
    if (!queue__is_empty())
        drain_again(hold, tid);
}

/* ---- the doors ---- */

void submit__begin(int32_t pid, int32_t tid) {
    lock__reset(&intake.lock);
    queue__reset();
    observed__reset();
    intake.has_ended = intake.is_damaged = false;
    atomic_store_explicit(&intake.work, NSD_WORK_IDLE, memory_order_relaxed);
    atomic_store_explicit(&any_switch, false, memory_order_relaxed);
    atomic_store_explicit(&any_descriptor, false, memory_order_relaxed);
    atomic_store_explicit(&intake.lost, 0, memory_order_relaxed);
    moves = 0;
    /*
     * A fork child abandons its parent's memory and never walks it: another thread of the parent
     * may have been in the middle of a change.
     */
    arena__forget();
    memory__fill(&intake.findings, 0, sizeof intake.findings);
    ledger__begin(&intake.ledger, pid, tid, NSD_RUNTIME_THREADS);
    ledger__set_reader(&intake.ledger, read_word, NULL);
}

void submit__reserve(int32_t tid) {
    struct nsd_hold hold;

    frames__prepare();
    if (!inside__lock(&hold, tid))
        return;
    guarded__set_work(NSD_WORK_CHANGING);
    arena__reserve();
    guarded__set_work(NSD_WORK_IDLE);
    inside__unlock(&hold, tid);
}

void submit__prepare(struct nsd_event *event, enum nsd_call call, int32_t tid) {
    /* Readers look at identity[] only as far as `identities` says: the rest need not be zeroed. */
    __builtin_memset(event, 0, offsetof(struct nsd_event, identity));
    event->call = (uint16_t) call;
    event->tid = tid;
    event->time = clock__ticks();
    event->kinds = nsd_call_table[call].kinds;
}

void submit__leave(const struct nsd_event *event) {
    if (copies__is_waiting())
        copies__note_left();
    if (!queue__put(event))
        submit__count_lost();
}

void submit__event(const struct nsd_event *event) {
    struct nsd_hold hold;

    if (!inside__lock(&hold, event->tid)) {
        submit__leave(event);
        return;
    }
    inside__drain();
    inside__take_in(event, SOURCE_CALLER);
    inside__unlock(&hold, event->tid);
}

void submit__observe(int32_t tid, nsd_kinds kinds) {
    nsd_kinds unknown = 0;
    struct nsd_hold hold;

    if (observed__has(tid, kinds) || sys__is_forbidden() || !inside__lock(&hold, tid))
        return;
    image__learn_pid_namespace();
    if (announce_unknown(tid, 0, SOURCE_CALLER)) {
        FOR_EACH_KIND(kind, kinds) {
            if (intake.is_damaged || ledger__unidentified(&intake.ledger, tid, kind))
                unknown = (nsd_kinds) (unknown | NSD_KIND_BIT(kind));
        }
        if (unknown != 0)
            apply_identities(tid, 0, unknown);
        observed__note(intake.is_damaged ? NULL : &intake.ledger, tid, kinds);
    }
    inside__unlock(&hold, tid);
}

void submit__add_changed(struct nsd_event *event) {
    unsigned count = event->identities;
    struct nsd_hold hold;

    event->identities = 0;
    if (!inside__lock(&hold, event->tid)) {
        submit__count_lost();
        return;
    }
    inside__drain();
    if (intake.is_damaged) {
        submit__count_lost();
        count = 0;
    }
    guarded__set_work(NSD_WORK_CHANGING); /* comparing may teach the ledger an identity */
    for (unsigned i = 0; i < count; i++) {
        const struct nsd_identity *now = &event->identity[i];

        if (ledger__compare(&intake.ledger, event->tid, (enum nsd_kind) now->kind, now) ==
            NSD_COMPARE_DIFFERS)
            event->kinds = (nsd_kinds) (event->kinds | NSD_KIND_BIT(now->kind));
    }
    guarded__set_work(NSD_WORK_IDLE);
    inside__unlock(&hold, event->tid);
}

bool submit__any_switch(void) {
    return atomic_load_explicit(&any_switch, memory_order_relaxed);
}

bool submit__any_descriptor(void) {
    return atomic_load_explicit(&any_descriptor, memory_order_relaxed);
}

bool submit__has_findings(void) {
    return intake.findings.first != NULL;
}

const struct nsd_findings *submit__findings(void) {
    return &intake.findings;
}

uint32_t submit__new_token(void) {
    uint32_t token = atomic_fetch_add_explicit(&last_token, 1, memory_order_relaxed) + 1;

    return token != 0 ? token : submit__new_token();
}

void submit__count_lost(void) {
    guarded__count_lost();
}

size_t submit__drift(int32_t tid, struct nsdrift_drift *drift, size_t room) {
    size_t count = 0;
    struct nsd_thread *thread;
    struct nsd_hold hold;

    if (!inside__lock(&hold, tid))
        return 0;
    inside__drain();
    /* Nothing changes, but a handler must not change the ledger under the walk either. */
    guarded__set_work(NSD_WORK_CHANGING);
    thread = intake.is_damaged ? NULL : ledger__first_thread(&intake.ledger);
    for (; thread != NULL; thread = ledger__next_thread(thread)) {
        nsd_kinds away = ledger__away(&intake.ledger, thread);

        if (away == 0)
            continue;
        if (count < room) {
            drift[count].tid = ledger__tid(thread);
            drift[count].kinds = away;
            drift[count].pinned = ledger__pinned(thread);
            drift[count].is_main = ledger__tid(thread) == nsd_image.leader;
        }
        count++;
    }
    guarded__set_work(NSD_WORK_IDLE);
    inside__unlock(&hold, tid);
    return count;
}
