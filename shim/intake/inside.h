/*
 * What the files of this room share: the lock, and what it guards. For submit.c and last_words.c
 * alone.
 */
#ifndef NSD_INTAKE_INSIDE_H
#define NSD_INTAKE_INSIDE_H

#include "base/lock.h"
#include "ledger/ledger.h"
#include "rules/rules.h"

struct nsd_intake {
    struct nsd_lock lock;
    struct nsd_ledger ledger;     /* guarded by the lock */
    struct nsd_findings findings; /* guarded by the lock */
    bool has_ended;               /* the image's last report is made; guarded by the lock */
};
extern struct nsd_intake intake;

/* Where an event comes from: the calling thread, or the queue (its thread did not get the lock). */
enum event_source { SOURCE_CALLER, SOURCE_QUEUE };

/* False: the lock is not to be had now, see lock__try. */
static inline bool inside__lock(int32_t tid) {
    return lock__try(&intake.lock, tid);
}
/* Takes in what is queued, releases the lock, and takes it again for what was queued meanwhile. */
void inside__unlock(int32_t tid);

/* The following are for the owner of the lock. */
/* Takes in every event that is queued. */
void inside__drain(void);
/* One event, preceded by what the ledger must know first about its thread. */
void inside__take_in(const struct nsd_event *event, enum event_source source);
/* One event as it is: recording, ledger, rules, the log of verbosity=3. */
void inside__apply(const struct nsd_event *event, struct nsd_change *change);
uint64_t inside__lost(void);

#endif
