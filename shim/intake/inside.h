/*
 * What the two that take events in share: having the lock, and what its owner does. For submit.c
 * and last_words.c alone.
 */
#ifndef NSD_INTAKE_INSIDE_H
#define NSD_INTAKE_INSIDE_H

#include "intake/guarded.h"
#include "intake/owner.h"

/* Where an event comes from: the calling thread, or the queue (its thread did not get the lock). */
enum event_source { SOURCE_CALLER, SOURCE_QUEUE };

/* False: the lock is not to be had now, see owner__wait. `hold`: a local of the caller. */
static inline bool inside__lock(struct nsd_hold *hold, int32_t tid) {
    return lock__take(&intake.lock, hold, tid) || owner__wait(hold, tid);
}
/*
 * Takes in what is queued and releases the lock; once more for what was queued meanwhile. What is
 * queued after that waits for the next caller, so that no thread works for all others.
 */
void inside__unlock(struct nsd_hold *hold, int32_t tid);

/* The following are for the owner of the lock. */
/* Takes in as many events as are queued now. */
void inside__drain(void);
/* One event, preceded by what the ledger must know first about its thread. */
void inside__take_in(const struct nsd_event *event, enum event_source source);
/* One event as it is: recording, ledger, rules, the log of verbosity=3. */
void inside__apply(const struct nsd_event *event, struct nsd_change *change);

#endif
