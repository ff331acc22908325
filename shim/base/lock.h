/*
 * The one lock that guards the ledger. It is tried a bounded number of times and never waited for
 * (law 2): who does not get it queues its event instead. It knows its owner, so that a signal
 * handler that interrupts the owner sees at once that trying is vain.
 */
#ifndef NSD_BASE_LOCK_H
#define NSD_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct nsd_lock {
    _Atomic int32_t owner; /* tid, 0 when free */
};

/* False at once if `tid` owns it already, else after a bounded number of tries. */
bool lock__try(struct nsd_lock *lock, int32_t tid);
void lock__release(struct nsd_lock *lock);
/* Tid of who has it, 0 when free. */
int32_t lock__owner(struct nsd_lock *lock);
/* In a fork child: whoever held it is not here. */
void lock__reset(struct nsd_lock *lock);

#endif
