/*
 * The one lock that guards the ledger. Its rules:
 *
 *   - It is tried a bounded number of times and never waited for (design.md, law 2). A thread that
 *     does not get it puts its event into the queue, and the next owner applies that event.
 *   - It holds the owner's tid. A signal handler that interrupted the owner runs on the owner's
 *     thread: lock__try() sees that and fails at once, instead of spinning for a release that
 *     cannot come.
 *   - It does not survive a fork: the child calls lock__reset(), because the owner may be a thread
 *     that exists in the parent alone.
 *
 * Called by the intake. Safe in a signal handler and on a Go stack. A vfork child must not take it:
 * the child shares the parent's memory and may exec or die while it holds the lock.
 */
#ifndef NSD_BASE_LOCK_H
#define NSD_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero is a lock that is free. */
struct nsd_lock {
    /*
     * Tid of the owner, 0 when free. Taken with acquire and released with release, so that the
     * next owner sees all that the last one wrote to the ledger. Every other access is relaxed: a
     * thread only compares the value with its own tid, which no other thread ever stores.
     */
    _Atomic int32_t owner;
};

/*
 * Takes the lock for the calling thread, `tid`. False if `tid` owns it already (at once), or if it
 * was not free in a bounded number of tries.
 */
bool lock__try(struct nsd_lock *lock, int32_t tid);
/* Only by the owner. */
void lock__release(struct nsd_lock *lock);
/* Tid of the owner, 0 when the lock is free. Already old when it returns, but for one's own tid. */
int32_t lock__owner(struct nsd_lock *lock);
/* Makes the lock free in a fork child, where the owner may not exist. */
void lock__reset(struct nsd_lock *lock);

#endif
