/*
 * Beginning and end of a ledger, and ledger__apply(), which dispatches each event by the effect of
 * its call (calls.h). Called by the owner of the ledger's lock.
 */
#include "ledger/ledger.h"
#include "ledger/dependence.h"
#include "ledger/lives.h"
#include "ledger/opening.h"
#include "ledger/switching.h"
#include <stddef.h>

/* ---- the image ---- */

void ledger__begin(struct nsd_ledger *ledger, int32_t pid, int32_t tid, enum nsd_runtime runtime) {
    struct nsd_label *start[NSD_KINDS];
    struct nsd_thread *thread;

    /* At first use the struct is zero already: writing to it would only touch its pages. */
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
        lives__place_at_home(ledger, ledger->leader);
        ledger->leader->runtime = (uint8_t) runtime;
    }
    if (tid == pid)
        return;
    thread = threads__add(&ledger->threads, tid);
    if (thread != NULL) {
        lives__place_at_home(ledger, thread);
        thread->marks = NSD_THREAD_FOUND;
        thread->runtime = (uint8_t) runtime;
    }
}

void ledger__set_reader(struct nsd_ledger *ledger, nsd_read_word read_word, void *context) {
    ledger->visits.read_word = read_word;
    ledger->visits.read_context = context;
}

void ledger__end(struct nsd_ledger *ledger) {
    struct nsd_label *none[NSD_KINDS] = {NULL};

    if (!ledger->begun)
        return;
    lives__forget_change(ledger);
    while (ledger->threads.births != NULL)
        threads__give_up(&ledger->threads, &ledger->labels, ledger->threads.births);
    while (ledger->threads.table != NULL) {
        lives__end(ledger, ledger->threads.table);
        lives__forget_change(ledger);
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

/* ---- locks ---- */

static void apply_lock(struct nsd_thread *thread, const struct nsd_event *event) {
    if (event->call == NSD_CALL_PIN)
        thread->pins++;
    if (event->call == NSD_CALL_UNPIN && thread->pins > 0)
        thread->pins--;
    if (event->call == NSD_CALL_ALL_THREADS)
        thread->marks |= NSD_THREAD_COLLECTIVE;
}

/* Notes which goroutine, or which one-to-one thread, made this event's call. */
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

/* ---- knowledge ---- */

static void apply_knowledge(struct nsd_ledger *ledger, const struct nsd_event *event) {
    int32_t tid = event->other_tid != 0 ? event->other_tid : event->tid;

    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        if (event->identity[i].kind < NSD_KINDS)
            ledger__compare(ledger, tid, event->identity[i].kind, &event->identity[i]);
    }
}

/* ---- applying an event ---- */

/*
 * Marks the visits of this thread that its stack shows to be over. Called before the event changes
 * anything: a restore by this very event closes the visit as if it had never been over
 * (visits__clear_over).
 */
static void look_at_visits(struct nsd_ledger *ledger, struct nsd_thread *thread,
                           const struct nsd_event *event) {
    if (event->runtime != NSD_RUNTIME_THREADS || event->call == NSD_CALL_LOCK_STATE ||
        event->call == NSD_CALL_THREAD_DIED)
        return;
    for (struct nsd_switch *departure = thread->switches; departure != NULL;
         departure = departure->outer) {
        if (!departure->is_move && !departure->visit_over &&
            visits__is_meant_to_come_back(&ledger->visits, departure) &&
            visits__state(&ledger->visits, departure, event) == NSD_VISIT_OVER) {
            departure->visit_over = true;
            departure->over_since = event->time;
        }
    }
}

static struct nsd_thread *thread_of(struct nsd_ledger *ledger, const struct nsd_event *event) {
    struct nsd_thread *thread;

    if (event->call == NSD_CALL_THREAD_BORN)
        return lives__born(ledger, event);
    thread = threads__find(&ledger->threads, event->tid);
    /* Exit events do not register an unknown thread: it may be one whose death we already saw. */
    if (thread == NULL && event->call != NSD_CALL_THREAD_DIED && event->call != NSD_CALL_EXIT)
        thread = lives__found(ledger, event);
    return thread;
}

void ledger__apply(struct nsd_ledger *ledger, const struct nsd_event *event,
                   struct nsd_change *change) {
    struct nsd_thread *thread;

    *change = (struct nsd_change){.before = ledger->before};
    lives__forget_change(ledger);
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
        lives__apply(ledger, thread, event, change);
        break;
    case NSD_EFFECT_LOCK:
        apply_lock(thread, event);
        if (event->call != NSD_CALL_LOCK_STATE)
            note_runtime(thread, event);
        break;
    case NSD_EFFECT_DESCRIPTOR:
        opening__apply(ledger, thread, event);
        break;
    default:
        break;
    }
    if ((thread->marks & NSD_THREAD_DEAD) != 0)
        return;
    dependence__note(ledger, thread, event, change);
    change->current = thread->switches;
}
