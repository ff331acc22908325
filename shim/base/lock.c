/*
 * The ledger's lock, see lock.h: compare and swap of a tid. Called from hooks and signal handlers,
 * so it gives up after a bounded number of tries and makes no other system call than sched_yield.
 */
#include "base/lock.h"
#include "base/syscall.h"

/*
 * An owner that runs holds the lock for about a microsecond: a few microseconds of spinning are
 * enough. An owner that was preempted holds it for a time slice: after SPINS tries the thread gives
 * its processor away, up to YIELDS times.
 */
#define SPINS 200
#define YIELDS 200

static bool take(struct nsd_lock *lock, int32_t tid) {
    int32_t unowned = 0;

    return atomic_compare_exchange_strong_explicit(&lock->owner, &unowned, tid,
                                                   memory_order_acquire, memory_order_relaxed);
}

bool lock__try(struct nsd_lock *lock, int32_t tid) {
    if (atomic_load_explicit(&lock->owner, memory_order_relaxed) == tid)
        return false;
    for (unsigned yields = 0;; yields++) {
        for (unsigned spins = 0; spins < SPINS; spins++) {
            if (take(lock, tid))
                return true;
            machine__pause();
        }
        if (yields == YIELDS || sys__is_forbidden())
            return false;
        sys__sched_yield();
    }
}

void lock__release(struct nsd_lock *lock) {
    atomic_store_explicit(&lock->owner, 0, memory_order_release);
}

int32_t lock__owner(struct nsd_lock *lock) {
    return atomic_load_explicit(&lock->owner, memory_order_relaxed);
}

void lock__reset(struct nsd_lock *lock) {
    atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
}
