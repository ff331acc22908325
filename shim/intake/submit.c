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
#include "intake/inside.h"
#include "intake/language.h"
#include "intake/observed.h"
#include "intake/queue.h"
#include "nsdrift.h"
#include "record/writer.h"
#include "report/report.h"
#include <stdatomic.h>

struct nsd_intake intake;
const struct nsd_language *_Atomic nsd_language;

/*
 * Both only ever go from false to true (a fork child sets them back while it is alone). Relaxed: a
 * thread that reads false a moment longer skips an event that happened at the same time as the
 * first switch or the first open.
 */
static _Atomic bool any_switch, any_descriptor;
/* Relaxed: counters, nothing is published by them. */
static _Atomic uint32_t last_token;
static _Atomic uint64_t lost;

static bool is_counted(const struct nsd_event *event) {
    switch (nsd_call_table[event->call].effect) {
    case NSD_EFFECT_SWITCH:
    case NSD_EFFECT_NONE:
    case NSD_EFFECT_PROCESS:
        return event->call != NSD_CALL_REPORT && event->call != NSD_CALL_EXEC_FAILED;
    default:
        return false;
    }
}

/* False for what we looked up ourselves: it is no event of the program's. */
static bool is_shown(const struct nsd_event *event) {
    return event->call != NSD_CALL_IDENTITY && event->call != NSD_CALL_LOCK_STATE;
}

uint64_t inside__lost(void) {
    return atomic_load_explicit(&lost, memory_order_relaxed) + intake.findings.lost +
           frames__lost() + ledger__lost(&intake.ledger);
}

/*
 * A word of a visiting thread's stack. The recording keeps the answer, because a replay cannot read
 * the stack again.
 */
static bool read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                      uint64_t *value) {
    bool could_be_read = look__read_word(context, tid, address, stack_pointer, value);

    record__answer(could_be_read ? *value : 0, could_be_read);
    return could_be_read;
}

void inside__apply(const struct nsd_event *event, struct nsd_change *change) {
    /* The tid may have belonged to another thread before. */
    if (nsd_call_table[event->call].effect == NSD_EFFECT_THREAD)
        observed__forget(event->tid);
    record__event(event);
    ledger__apply(&intake.ledger, event, change);
    rules__on_event(&intake.ledger, &intake.findings, event, change);
    if (is_counted(event))
        nsd_image.events++;
    if (record__is_on())
        record__event_is_over(nsd_image.events, inside__lost());
    if (nsd_options.verbosity.number >= 3 && is_shown(event))
        report__event(event, &nsd_image);
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

    if (ledger__thread(&intake.ledger, tid) != NULL)
        return true;
    /* Another process that shares our memory has no thread of ours. */
    if (!sys__is_forbidden() && sys__getpid() != nsd_image.pid)
        return false;
    submit__prepare(&event, NSD_CALL_THREAD_FOUND, tid);
    identity__fill(&event, source == SOURCE_CALLER ? 0 : tid,
                   (nsd_kinds) (NSD_ALL_KINDS & ~about_to_change));
    inside__apply(&event, &change);
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
    case NSD_CALL_EXIT:
    case NSD_CALL_QUICK_EXIT:
    case NSD_CALL_EXIT_GROUP:
    case NSD_CALL_REPORT:
        return false;
    default:
        return true;
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
    if (is_switch && event->result >= 0 && ledger__is_single_threaded(&intake.ledger) &&
        is_due(++moves)) {
        copy = *event;
        copy.kernel_threads = identity__kernel_threads();
        event = &copy;
    }
    inside__apply(event, &change);
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

void inside__drain(void) {
    while (!queue__is_empty()) {
        const struct nsd_event *oldest = queue__oldest();

        if (oldest == NULL)
            return;
        inside__take_in(oldest, SOURCE_QUEUE);
        queue__remove(oldest);
    }
}

/*
 * Only a complete event is worth another round: a thread that is still publishing one may be the
 * thread that this signal handler has interrupted, and it cannot run on before the handler returns.
 */
static __attribute__((noinline)) void drain_again(int32_t tid) {
    while (queue__has_complete() && inside__lock(tid)) {
        inside__drain();
        lock__release(&intake.lock);
    }
}

void inside__unlock(int32_t tid) {
    inside__drain();
    lock__release(&intake.lock);
    /* Out of line: few events find the queue filled. */
    if (!queue__is_empty())
        drain_again(tid);
}

/* ---- the doors ---- */

void submit__begin(int32_t pid, int32_t tid) {
    lock__reset(&intake.lock);
    queue__reset();
    observed__reset();
    intake.has_ended = false;
    atomic_store_explicit(&any_switch, false, memory_order_relaxed);
    atomic_store_explicit(&any_descriptor, false, memory_order_relaxed);
    atomic_store_explicit(&lost, 0, memory_order_relaxed);
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
    frames__prepare();
    if (!inside__lock(tid))
        return;
    arena__reserve();
    inside__unlock(tid);
}

void submit__prepare(struct nsd_event *event, enum nsd_call call, int32_t tid) {
    /* Readers look at identity[] only as far as `identities` says: the rest need not be zeroed. */
    __builtin_memset(event, 0, offsetof(struct nsd_event, identity));
    event->call = (uint16_t) call;
    event->tid = tid;
    event->time = clock__ticks();
    event->kinds = nsd_call_table[call].kinds;
}

void submit__event(const struct nsd_event *event) {
    if (!inside__lock(event->tid)) {
        if (!queue__put(event))
            submit__count_lost();
        return;
    }
    inside__drain();
    inside__take_in(event, SOURCE_CALLER);
    inside__unlock(event->tid);
}

void submit__observe(int32_t tid, nsd_kinds kinds) {
    nsd_kinds unknown = 0;

    if (observed__has(tid, kinds) || sys__is_forbidden() || !inside__lock(tid))
        return;
    image__learn_pid_namespace();
    if (announce_unknown(tid, 0, SOURCE_CALLER)) {
        FOR_EACH_KIND(kind, kinds) {
            if (ledger__unidentified(&intake.ledger, tid, kind))
                unknown = (nsd_kinds) (unknown | NSD_KIND_BIT(kind));
        }
        if (unknown != 0)
            apply_identities(tid, 0, unknown);
        observed__note(&intake.ledger, tid, kinds);
    }
    inside__unlock(tid);
}

void submit__add_changed(struct nsd_event *event) {
    unsigned count = event->identities;

    event->identities = 0;
    if (!inside__lock(event->tid)) {
        submit__count_lost();
        return;
    }
    inside__drain();
    for (unsigned i = 0; i < count; i++) {
        const struct nsd_identity *now = &event->identity[i];

        if (ledger__compare(&intake.ledger, event->tid, (enum nsd_kind) now->kind, now) ==
            NSD_COMPARE_DIFFERS)
            event->kinds = (nsd_kinds) (event->kinds | NSD_KIND_BIT(now->kind));
    }
    inside__unlock(event->tid);
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
    atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
}

size_t submit__drift(int32_t tid, struct nsdrift_drift *drift, size_t room) {
    size_t count = 0;

    if (!inside__lock(tid))
        return 0;
    inside__drain();
    for (struct nsd_thread *thread = ledger__first_thread(&intake.ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
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
    inside__unlock(tid);
    return count;
}
