/*
 * The ledger's lock, see lock.h: compare and swap of a word. Called from hooks and signal handlers,
 * so it gives up after a bounded number of tries and makes no other system call than sched_yield.
 */
#include "base/lock.h"
#include "base/syscall.h"

/*
 * An owner that runs holds the lock for about a microsecond: a few microseconds of spinning are
 * enough. An owner that was preempted holds it for a time slice: after SPINS tries the thread gives
 * its processor away.
 */
#define SPINS 200
/* Ticks, about a second: a preempted owner has the processor again within that. */
#define LONG (1ull << 31)

bool lock__wait(struct nsd_lock *lock, struct nsd_hold *hold, int32_t tid, unsigned yields) {
    if (lock__owner(lock) == tid)
        return false;
    for (;; yields--) {
        for (unsigned spins = 0; spins < SPINS; spins++) {
            if (lock__take(lock, hold, tid))
                return true;
            machine__pause();
        }
        if (yields == 0 || sys__is_forbidden())
            return false;
        sys__sched_yield();
    }
}

static uint32_t place_of(uintptr_t address) {
    return (uint32_t) (address >> 3);
}

bool lock__knows_hold_of(struct nsd_lock *lock, uint64_t word) {
    return place_of(atomic_load_explicit(&lock->hold, memory_order_relaxed)) ==
           (uint32_t) (word >> 32);
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

void lock__waited_in_vain(struct nsd_lock *lock, uint64_t word, uint64_t now) {
    if (atomic_load_explicit(&lock->vain_word, memory_order_relaxed) != word) {
        atomic_store_explicit(&lock->vain_since, now, memory_order_relaxed);
        atomic_store_explicit(&lock->vain_word, word, memory_order_relaxed);
        atomic_store_explicit(&lock->is_hopeless, false, memory_order_relaxed);
    } else if (now - atomic_load_explicit(&lock->vain_since, memory_order_relaxed) >= LONG) {
        atomic_store_explicit(&lock->is_hopeless, true, memory_order_relaxed);
    }
}

void lock__waited_well(struct nsd_lock *lock) {
    if (atomic_load_explicit(&lock->vain_word, memory_order_relaxed) == 0)
        return;
    atomic_store_explicit(&lock->is_hopeless, false, memory_order_relaxed);
    atomic_store_explicit(&lock->vain_word, 0, memory_order_relaxed);
}

bool lock__is_hopeless(struct nsd_lock *lock) {
    return atomic_load_explicit(&lock->is_hopeless, memory_order_relaxed) &&
           atomic_load_explicit(&lock->vain_word, memory_order_relaxed) == lock__word(lock);
}

void lock__reset(struct nsd_lock *lock) {
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
    lock__waited_well(lock);
}
