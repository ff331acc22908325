/*
 * The bounded queue of the intake (queue.h): slots that a thread claims with one compare-and-swap,
 * fills, and publishes. A thread that dies between claim and publication, or while it takes an
 * event out, costs one slot, no more. No lock and no system call, because signal handlers put
 * events in here.
 */
#include "intake/queue.h"
#include <stdatomic.h>
#include <stdint.h>

/* What a dozen busy threads produce while the lock's owner waits for a processor. */
#define SLOTS 256u

enum { EMPTY, FILLING, READY, TAKING };

/*
 * EMPTY -> FILLING by compare-and-swap; FILLING -> READY with release, and the owner of the
 * intake's lock reads with acquire: a thread that sees READY sees the whole event. READY -> TAKING
 * by compare-and-swap, because a handler may interrupt the owner and take events, too; TAKING ->
 * EMPTY with release, after the last read of the event. Kept apart from the events, so that their
 * pages are not touched before they are needed.
 */
static _Atomic uint32_t state[SLOTS];

static struct slot {
    uint32_t order; /* from next_order: earlier events have smaller numbers, modulo 2^32 */
    struct nsd_event event;
} slots[SLOTS];

/* Relaxed: only the number itself matters; the slot's state publishes it. */
static _Atomic uint32_t next_order;

/*
 * How often the queue was emptied. A handler may fork between a claim and its publication: the
 * child's queue is new, and the event is the parent's. Relaxed: that is one thread and its copy.
 */
static _Atomic uint32_t generation;

_Atomic uint32_t nsd_queue_ready;

bool queue__put(const struct nsd_event *event) {
    uint32_t began_in = atomic_load_explicit(&generation, memory_order_relaxed);

    for (unsigned i = 0; i < SLOTS; i++) {
        uint32_t empty = EMPTY;

        if (!atomic_compare_exchange_strong_explicit(&state[i], &empty, FILLING,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        slots[i].order = atomic_fetch_add_explicit(&next_order, 1, memory_order_relaxed);
        slots[i].event = *event;
        if (atomic_load_explicit(&generation, memory_order_relaxed) != began_in) {
            atomic_store_explicit(&state[i], EMPTY, memory_order_relaxed);
            return true;
        }
        atomic_store_explicit(&state[i], READY, memory_order_release);
        atomic_fetch_add_explicit(&nsd_queue_ready, 1, memory_order_release);
        return true;
    }
    return false;
}

bool queue__has_complete(void) {
    if (queue__is_empty())
        return false;
    for (unsigned i = 0; i < SLOTS; i++) {
        if (atomic_load_explicit(&state[i], memory_order_relaxed) == READY)
            return true;
    }
    return false;
}

static int oldest(void) {
    int found = -1;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (atomic_load_explicit(&state[i], memory_order_acquire) == READY &&
            (found < 0 || (int32_t) (slots[i].order - slots[found].order) < 0))
            found = (int) i;
    }
    return found;
}

bool queue__take(struct nsd_event *event) {
    for (;;) {
        uint32_t ready = READY;
        int i = oldest();

        if (i < 0)
            return false;
        /* A handler of this thread may have taken it since. */
        if (!atomic_compare_exchange_strong_explicit(&state[i], &ready, TAKING,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        *event = slots[i].event;
        atomic_store_explicit(&state[i], EMPTY, memory_order_release);
        atomic_fetch_sub_explicit(&nsd_queue_ready, 1, memory_order_relaxed);
        return true;
    }
}

void queue__reset(void) {
    /* A queue that was never used needs no reset: a start pays for each instruction. */
    if (atomic_load_explicit(&next_order, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&state[0], memory_order_relaxed) == EMPTY)
        return;
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
    for (unsigned i = 0; i < SLOTS; i++)
        atomic_store_explicit(&state[i], EMPTY, memory_order_relaxed);
    atomic_store_explicit(&nsd_queue_ready, 0, memory_order_relaxed);
}
