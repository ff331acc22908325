/*
 * The ledger's lock, see lock.h: compare and swap of a word. Called from hooks and signal handlers,
 * so it gives up after a bounded number of tries and makes no other system call than sched_yield.
 */
#include "base/lock.h"
#include "base/memory.h"
#include "base/syscall.h"

/*
 * An owner that runs holds the lock for about a microsecond: a few microseconds of spinning are
 * enough. An owner that was preempted holds it for a time slice: after SPINS tries the thread gives
 * its processor away.
 */
#define SPINS 200

bool lock__wait(struct nsd_lock *lock, struct nsd_hold *hold, int32_t tid, unsigned yields) {
    if (lock__owner(lock) == tid)
        return false;
    for (;; yields--) {
        for (unsigned spins = 0; spins < SPINS; spins++) {
            if (lock__take(lock, hold, tid))
                return true;
            machine__pause();
        }
        if (yields == 0 || memory__is_quiet())
            return false;
        sys__sched_yield();
    }
}

static uint32_t place_of(uintptr_t address) {
    return (uint32_t) (address >> 3);
}

uintptr_t lock__hold_of(struct nsd_lock *lock, uint64_t word, uintptr_t near) {
    uintptr_t known = atomic_load_explicit(&lock->hold, memory_order_relaxed);
    uint32_t place = (uint32_t) (word >> 32);

    if (place_of(known) == place)
        return known;
    return near + (uintptr_t) ((intptr_t) (int32_t) (place - place_of(near)) * 8);
}

bool lock__take_over(struct nsd_lock *lock, uint64_t word, struct nsd_hold *hold, int32_t tid) {
    uint64_t ours = lock__word_for(hold, tid);

    atomic_store_explicit(&hold->word, ours, memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &word, ours, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false;
    atomic_store_explicit(&lock->hold, (uintptr_t) hold, memory_order_relaxed);
    return true;
}

void lock__give_up(struct nsd_lock *lock, uint64_t word) {
    atomic_store_explicit(&lock->hopeless, word, memory_order_relaxed);
}

bool lock__is_hopeless(struct nsd_lock *lock) {
    uint64_t word = lock__word(lock);

    return word != 0 && atomic_load_explicit(&lock->hopeless, memory_order_relaxed) == word;
}

void lock__reset(struct nsd_lock *lock) {
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
    atomic_store_explicit(&lock->hopeless, 0, memory_order_relaxed);
}
