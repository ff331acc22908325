/*
 * Events whose thread could not have the intake's lock: a signal handler that interrupted the
 * lock's owner, or one thread of a crowd. Any thread puts events in. The owner of the intake's lock
 * takes them out, and so does a report in a signal handler that has interrupted that owner. Safe in
 * a signal handler and on a Go stack; nobody waits.
 */
#ifndef NSD_INTAKE_QUEUE_H
#define NSD_INTAKE_QUEUE_H

#include "ledger/event.h"
#include <stdatomic.h>
#include <stdbool.h>

/* False: the queue is full and the event is lost; the caller counts it. */
bool queue__put(const struct nsd_event *event);
/*
 * The number of slots that are READY. It may be too low for a moment: a thread first publishes its
 * slot and then adds 1, and the lock's owner may take the event out and subtract 1 in between.
 * Added to with release and read with acquire, so that a reader that sees the count also sees the
 * slot. It stands in the header because every event reads it.
 */
extern _Atomic uint32_t nsd_queue_ready;

/* How many events are complete, as far as they are counted: see nsd_queue_ready. */
static inline uint32_t queue__length(void) {
    return atomic_load_explicit(&nsd_queue_ready, memory_order_acquire);
}
/* One load; the answer may be out of date at once. False is only a hint: see nsd_queue_ready. */
static inline bool queue__is_empty(void) {
    return queue__length() == 0;
}
/* Whether an event can be taken out. Any thread may ask; the answer may be out of date at once. */
bool queue__has_complete(void);
/*
 * Takes out the event that was put in first, among those that are complete. False if none is. For
 * the owner of the intake's lock, and for a signal handler that has interrupted that owner: each
 * event is taken once.
 */
bool queue__take(struct nsd_event *event);
/* At start and in a fork child: an empty queue. */
void queue__reset(void);

#endif
