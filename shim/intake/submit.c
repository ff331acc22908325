/*
 * Where every probe's events go: under one lock through the ledger and the rules, and, when the
 * event ends the image or asks for it, on to the report. Who cannot have the lock (a signal handler
 * that interrupted its owner, a crowd) leaves the event in a bounded queue, which the owner empties
 * before and after its own work: nobody waits, and only a full queue loses anything.
 */
#include "intake/submit.h"
#include "base/arena.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "nsdrift.h"
#include "host/environment.h"
#include "host/facts.h"
#include "host/identity.h"
#include "host/image.h"
#include "host/look.h"
#include "record/writer.h"
#include "stacks/on_stack.h"
#include <stdatomic.h>

static struct nsd_ledger ledger;
static struct nsd_findings findings;
static struct nsd_lock lock;

static _Atomic bool any_switch, any_descriptor;
static _Atomic uint32_t last_token;
static _Atomic uint64_t lost;
static bool ended; /* the image's last report is made */

static const struct nsd_language *language;

void submit__set_language(const struct nsd_language *known) {
    language = known;
}

bool submit__has_language(void) {
    return language != NULL;
}

bool submit__identify(int32_t tid, struct nsd_event *event) {
    return language != NULL && language->identify(tid, event);
}

const struct nsd_frames *submit__behind_c(int32_t tid, const struct nsd_frames *frames) {
    return language != NULL && frames != NULL ? language->behind_c(tid, frames) : frames;
}

/* ---- whose standing is known ---- */

/*
 * Threads whose namespaces have identities in the ledger already: tid, and above it those kinds.
 * A word is written under the lock and read without, and two threads that share a place put each
 * other out: what is not found here is asked of the ledger.
 */
#define PLACES 64u
static _Atomic uint64_t standing[PLACES];

static _Atomic uint64_t *standing_of(int32_t tid) {
    return &standing[(uint32_t) tid % PLACES];
}

bool submit__is_observed(int32_t tid, nsd_kinds kinds) {
    uint64_t word = atomic_load_explicit(standing_of(tid), memory_order_relaxed);

    return (uint32_t) word == (uint32_t) tid && (kinds & NSD_ALL_KINDS & ~(word >> 32)) == 0;
}

/* Of a thread that the ledger has. */
static void note_standing(int32_t tid, nsd_kinds kinds) {
    const uint64_t word = atomic_load_explicit(standing_of(tid), memory_order_relaxed);
    nsd_kinds known = (uint32_t) word == (uint32_t) tid ? (nsd_kinds) (word >> 32) : 0;

    known = (nsd_kinds) (known | kinds);
    FOR_EACH_KIND(kind, kinds) {
        if (ledger__unidentified(&ledger, tid, kind))
            known = (nsd_kinds) (known & ~NSD_KIND_BIT(kind));
    }
    if (word != ((uint64_t) known << 32 | (uint32_t) tid))
        atomic_store_explicit(standing_of(tid), (uint64_t) known << 32 | (uint32_t) tid,
                              memory_order_relaxed);
}

static void forget_standing(int32_t tid) {
    atomic_store_explicit(standing_of(tid), 0, memory_order_relaxed);
}

/* ---- the queue of those who could not have the lock ---- */

/* What a dozen busy threads bring forth while the holder of the lock waits for a processor. */
#define QUEUE 256u

enum { EMPTY, FILLING, READY };
/* Apart from the events, whose pages are not touched before they are needed. */
static _Atomic uint32_t queue_state[QUEUE];
static struct queued {
    uint32_t order;
    struct nsd_event event;
} queue[QUEUE];
static _Atomic uint32_t queued_count, queue_order;

static void enqueue(const struct nsd_event *event) {
    for (unsigned i = 0; i < QUEUE; i++) {
        uint32_t empty = EMPTY;

        if (!atomic_compare_exchange_strong(&queue_state[i], &empty, FILLING))
            continue;
        queue[i].order = atomic_fetch_add(&queue_order, 1);
        queue[i].event = *event;
        atomic_store_explicit(&queue_state[i], READY, memory_order_release);
        atomic_fetch_add(&queued_count, 1);
        return;
    }
    submit__count_lost();
}

static struct queued *oldest_queued(void) {
    struct queued *oldest = NULL;

    for (unsigned i = 0; i < QUEUE; i++) {
        if (atomic_load_explicit(&queue_state[i], memory_order_acquire) != READY)
            continue;
        if (oldest == NULL || (int32_t) (queue[i].order - oldest->order) < 0)
            oldest = &queue[i];
    }
    return oldest;
}

/* ---- one event, under the lock ---- */

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

/* What we looked up ourselves is no event of the program's. */
static bool is_shown(const struct nsd_event *event) {
    return event->call != NSD_CALL_IDENTITY && event->call != NSD_CALL_LOCK_STATE;
}

static uint64_t lost_so_far(void) {
    return atomic_load_explicit(&lost, memory_order_relaxed) + findings.lost + frames__lost() +
           ledger__lost(&ledger);
}

/* What a visit sees of a stack cannot be seen again: the recording keeps it. */
static bool read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                      uint64_t *value) {
    bool could_be_read = look__read_word(context, tid, address, stack_pointer, value);

    record__answer(could_be_read ? *value : 0, could_be_read);
    return could_be_read;
}

static void apply(const struct nsd_event *event, struct nsd_change *change) {
    /* Whoever had this tid before is not asked for. */
    if (nsd_call_table[event->call].effect == NSD_EFFECT_THREAD)
        forget_standing(event->tid);
    record__event(event);
    ledger__apply(&ledger, event, change);
    rules__on_event(&ledger, &findings, event, change);
    if (is_counted(event))
        nsd_image.events++;
    if (record__is_on())
        record__event_is_over(nsd_image.events, lost_so_far());
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
        apply(&event, &change);
}

/* Whose event it is: the caller's, or that of a thread that could not have the lock. */
enum from { FROM_ITSELF, FROM_THE_QUEUE };

/* A thread that no probe saw being born (a raw clone) makes its first event. */
static bool announce_unknown(int32_t tid, nsd_kinds about_to_change, enum from from) {
    struct nsd_event event;
    struct nsd_change change;

    if (ledger__thread(&ledger, tid) != NULL)
        return true;
    /* A process of its own that shares our memory is none of our threads. */
    if (!identity__is_quiet() && sys__getpid() != nsd_image.pid)
        return false;
    submit__prepare(&event, NSD_CALL_THREAD_FOUND, tid);
    identity__fill(&event, from == FROM_ITSELF ? 0 : tid,
                   (nsd_kinds) (NSD_ALL_KINDS & ~about_to_change));
    apply(&event, &change);
    return true;
}

/*
 * Not the ends: what a thread that is gone for us already (the last one, in libc's exit) or one
 * that never did anything brings about there is no reason to meet it.
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
 * Our count of threads could be wrong where a library clones by itself (SIGEV_THREAD), and only the
 * kernel knows. Its answer costs as much as the switch: asked at the first move of a process with
 * one thread, the second, the fourth, the eighth.
 */
static uint32_t moves;

static bool is_due(uint32_t number) {
    return (number & (number - 1)) == 0;
}

static void take_in(const struct nsd_event *given, enum from from) {
    struct nsd_event copy;
    struct nsd_change change;
    const struct nsd_event *event = given;
    bool is_switch = nsd_call_table[given->call].effect == NSD_EFFECT_SWITCH;
    const struct nsd_finding *last = findings.last;

    if (needs_thread(event) && !announce_unknown(event->tid, is_switch ? event->kinds : 0, from))
        return;
    if (is_switch && event->result >= 0 && ledger__is_single_threaded(&ledger) && is_due(++moves)) {
        copy = *event;
        copy.kernel_threads = identity__kernel_threads();
        event = &copy;
    }
    apply(event, &change);
    if (is_switch && change.changed != 0) {
        if (!submit__any_switch())
            atomic_store_explicit(&any_switch, true, memory_order_relaxed);
        note_standing(event->tid, change.changed);
    }
    if (event->call == NSD_CALL_OPEN && event->result >= 0 &&
        !atomic_load_explicit(&any_descriptor, memory_order_relaxed)) {
        atomic_store_explicit(&any_descriptor, true, memory_order_relaxed);
        if (language != NULL)
            language->watch_descriptors();
    }
    /*
     * A finding wants to say where to: only now is the look at /proc worth its price. A thread
     * whose event comes late may be elsewhere by now; the report asks once more.
     */
    if (from == FROM_ITSELF && findings.last != last && event->call == NSD_CALL_UNSHARE &&
        event->result == 0)
        apply_identities(event->tid, 0, event->kinds & NSD_ALL_KINDS);
}

static void take_in_queued(void) {
    while (atomic_load_explicit(&queued_count, memory_order_acquire) > 0) {
        struct queued *oldest = oldest_queued();

        if (oldest == NULL)
            return;
        take_in(&oldest->event, FROM_THE_QUEUE);
        atomic_store_explicit(&queue_state[oldest - queue], EMPTY, memory_order_release);
        atomic_fetch_sub(&queued_count, 1);
    }
}

static inline void drain(void) {
    if (atomic_load_explicit(&queued_count, memory_order_acquire) > 0)
        take_in_queued();
}

/* Lets go of the lock, and takes it again for what was queued in the last moment. */
static void let_go(int32_t tid) {
    do {
        drain();
        lock__release(&lock);
    } while (atomic_load_explicit(&queued_count, memory_order_acquire) > 0 &&
             lock__try(&lock, tid));
}

/* ---- the doors ---- */

void submit__begin(int32_t pid, int32_t tid) {
    lock__reset(&lock);
    for (unsigned i = 0; i < QUEUE; i++)
        atomic_store(&queue_state[i], EMPTY);
    for (unsigned i = 0; i < PLACES; i++)
        atomic_store_explicit(&standing[i], 0, memory_order_relaxed);
    atomic_store(&queued_count, 0);
    atomic_store(&any_switch, false);
    atomic_store(&any_descriptor, false);
    atomic_store(&lost, 0);
    ended = false;
    moves = 0;
    /*
     * In a fork copy the parent's pieces stay where they are: another thread may have been in the
     * middle of them, so they are not walked.
     */
    arena__forget();
    memory__fill(&findings, 0, sizeof findings);
    ledger__begin(&ledger, pid, tid, NSD_RUNTIME_THREADS);
    ledger__set_reader(&ledger, read_word, NULL);
}

void submit__reserve(int32_t tid) {
    frames__prepare();
    if (!lock__try(&lock, tid))
        return;
    arena__reserve();
    let_go(tid);
}

void submit__prepare(struct nsd_event *event, enum nsd_call call, int32_t tid) {
    /* The identities are read only as far as they are filled: most of an event need not be zeroed.
     */
    __builtin_memset(event, 0, offsetof(struct nsd_event, identity));
    event->call = (uint16_t) call;
    event->tid = tid;
    event->time = clock__ticks();
    event->kinds = nsd_call_table[call].kinds;
}

void submit__event(const struct nsd_event *event) {
    if (!lock__try(&lock, event->tid)) {
        enqueue(event);
        return;
    }
    drain();
    take_in(event, FROM_ITSELF);
    let_go(event->tid);
}

void submit__observe(int32_t tid, nsd_kinds kinds) {
    nsd_kinds unknown = 0;

    if (submit__is_observed(tid, kinds) || identity__is_quiet() || !lock__try(&lock, tid))
        return;
    image__learn_pid_namespace();
    if (announce_unknown(tid, 0, FROM_ITSELF)) {
        for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
            if ((kinds & NSD_KIND_BIT(kind)) != 0 &&
                ledger__unidentified(&ledger, tid, (enum nsd_kind) kind))
                unknown = (nsd_kinds) (unknown | NSD_KIND_BIT(kind));
        }
        if (unknown != 0)
            apply_identities(tid, 0, unknown);
        note_standing(tid, kinds);
    }
    let_go(tid);
}

void submit__add_changed(struct nsd_event *event) {
    unsigned count = event->identities;

    event->identities = 0;
    if (!lock__try(&lock, event->tid)) {
        submit__count_lost();
        return;
    }
    drain();
    for (unsigned i = 0; i < count; i++) {
        const struct nsd_identity *now = &event->identity[i];

        if (ledger__compare(&ledger, event->tid, (enum nsd_kind) now->kind, now) ==
            NSD_COMPARE_DIFFERS)
            event->kinds = (nsd_kinds) (event->kinds | NSD_KIND_BIT(now->kind));
    }
    let_go(event->tid);
}

bool submit__any_switch(void) {
    return atomic_load_explicit(&any_switch, memory_order_relaxed);
}

bool submit__any_descriptor(void) {
    return atomic_load_explicit(&any_descriptor, memory_order_relaxed);
}

bool submit__has_findings(void) {
    return findings.first != NULL;
}

const struct nsd_findings *submit__findings(void) {
    return &findings;
}

uint32_t submit__new_token(void) {
    uint32_t token = atomic_fetch_add_explicit(&last_token, 1, memory_order_relaxed) + 1;

    return token != 0 ? token : submit__new_token();
}

void submit__count_lost(void) {
    atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
}

/* ---- reports ---- */

/* A report's buffers and formatting want more stack than a host's thread may have. */
#define REPORT_STACK (96u * 1024u)
static char report_stack[REPORT_STACK] __attribute__((aligned(64)));

struct report_request {
    const struct nsd_event *event;
    enum nsd_occasion occasion;
};

static const char *const ended_by[] = {
    [NSD_OCCASION_EXIT] = "exit",
    [NSD_OCCASION_EXEC] = "exec",
    [NSD_OCCASION_SIGNAL] = "report",
};

/* Go: who runs on the threads that are away, now; their last event may be long past. */
static void refresh_lock_states(void) {
    struct nsd_change change;

    if (language == NULL)
        return;
    for (struct nsd_thread *thread = ledger__first_thread(&ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        struct nsd_event event;

        if (ledger__away(&ledger, thread) == 0)
            continue;
        submit__prepare(&event, NSD_CALL_LOCK_STATE, ledger__tid(thread));
        if (language->identify(event.tid, &event))
            apply(&event, &change);
    }
}

/* One pair for the report and for the recording, so that both say the same time. */
static void begin_clocks(void) {
    if (identity__is_quiet())
        return;
    nsd_image.now_ticks = clock__ticks();
    nsd_image.now_wall = clock__wall();
}

static void make_report(void *argument) {
    const struct report_request *request = argument;
    bool looked = submit__any_switch() || nsd_options.verbosity.number > 0;

    take_in(request->event, FROM_ITSELF);
    refresh_lock_states();
    if (request->occasion == NSD_OCCASION_EXEC && nsd_options.follow.number != 0 &&
        !identity__is_quiet() && !environment__reaches_library())
        coverage__missing("exec", "the library cannot be reached from the caller's root, so what "
                                  "comes after exec is not watched");
    nsd_image.cross_check = looked ? look__cross_check(&ledger) : NSD_CROSS_IMPOSSIBLE;
    if (looked)
        image__learn_pid_namespace();
    begin_clocks();
    record__judged(request->event, request->occasion, nsd_image.now_ticks, nsd_image.now_wall);
    rules__on_report(&ledger, &findings, request->event, request->occasion);
    nsd_image.ended = ended_by[request->occasion];
    nsd_image.threads = ledger__threads_seen(&ledger);
    nsd_image.lost = lost_so_far();
    record__event_is_over(nsd_image.events, nsd_image.lost);
    report__write(&ledger, &findings, &nsd_image);
    facts__to_recording();
    nsd_image.now_ticks = 0;
    if (request->occasion != NSD_OCCASION_SIGNAL)
        record__end(request->occasion == NSD_OCCASION_EXIT, !identity__is_quiet());
}

/* An ending tries harder: nobody comes after it. */
#define ENDING_TRIES 50

void submit__report(const struct nsd_event *event, enum nsd_occasion occasion) {
    struct report_request request = {event, occasion};
    unsigned tries = occasion == NSD_OCCASION_SIGNAL ? 1 : ENDING_TRIES;

    while (!lock__try(&lock, event->tid)) {
        if (--tries == 0 || lock__owner(&lock) == event->tid) {
            enqueue(event);
            return;
        }
    }
    drain();
    if (!ended) {
        ended = occasion == NSD_OCCASION_EXIT;
        on_stack__call(make_report, &request, report_stack + sizeof report_stack);
    }
    let_go(event->tid);
}

void submit__exec_failed(int32_t tid, int64_t error) {
    struct nsd_event event;

    submit__prepare(&event, NSD_CALL_EXEC_FAILED, tid);
    event.result = error;
    submit__event(&event);
    if (!lock__try(&lock, tid))
        return;
    report__exec_failed(error, &nsd_image);
    nsd_image.ended = NULL;
    facts__exec_came_back();
    let_go(tid);
}

size_t submit__drift(struct nsdrift_drift *drift, size_t room) {
    int32_t tid = sys__gettid();
    size_t count = 0;

    if (!lock__try(&lock, tid))
        return 0;
    drain();
    for (struct nsd_thread *thread = ledger__first_thread(&ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        nsd_kinds away = ledger__away(&ledger, thread);

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
    let_go(tid);
    return count;
}
