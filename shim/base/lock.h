/*
 * The one lock that guards the ledger. Its rules:
 *
 *   - It is tried a bounded number of times and never waited for (design.md, law 2). A thread that
 *     does not get it puts its event into the queue, and the next owner applies that event.
 *   - Its word holds the owner's tid and the place of the owner's hold, a word on the owner's stack
 *     that has the same value for as long as its frame stands:
 *
 *         lock.word   tid | place of the hold      taken by compare and swap: one instruction
 *         hold.word   the same value               written before the lock is taken
 *
 *     A signal handler that interrupted the owner finds its own tid and fails at once, instead of
 *     spinning for a release that cannot come. An owner that left without a release (siglongjmp out
 *     of a handler, asynchronous cancel, a killed process that shares our memory) leaves a lock
 *     whose hold is overwritten, unmapped, below the stack pointer, or of a thread that is gone.
 *     Whoever sees that (intake/owner.c) takes the lock over.
 *   - An owner that was taken for gone and comes back all the same does not release the lock of
 *     another: a release compares the word.
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

/* A local variable of the function that takes the lock and releases it. */
struct nsd_hold {
    /* Relaxed: the owner writes it before the lock's word, which publishes it. */
    _Atomic uint64_t word;
};

/* All zero is a lock that is free. */
struct nsd_lock {
    /*
     * 0 when free. Below, the owner's tid; above, bits 3 to 34 of its hold's address, which is all
     * of it between addresses of one stack. Taken with acquire and released with release, so that
     * the next owner sees all that the last one wrote to the ledger. Every other access is relaxed:
     * a thread only compares the tid with its own, which no other thread ever stores.
     */
    _Atomic uint64_t word;
    /*
     * The whole address of the owner's hold, for other threads. Relaxed: it is written after the
     * lock was taken, so a reader compares it with the word and believes it only if they agree.
     */
    _Atomic uintptr_t hold;
    /*
     * The word for which a thread has waited in vain, since when (clock__ticks), and whether that
     * is too long for a preempted owner: then nobody waits for it again. All 0 once a wait was not
     * in vain. Relaxed: a wrong answer only costs or saves a wait.
     */
    _Atomic uint64_t vain_word, vain_since;
    _Atomic bool is_hopeless;
};

static inline uint64_t lock__word_for(const struct nsd_hold *hold, int32_t tid) {
    return (uint64_t) (uint32_t) tid | ((uint64_t) (uintptr_t) hold >> 3) << 32;
}

/* One try. In the header because every event begins with it. */
static inline bool lock__take(struct nsd_lock *lock, struct nsd_hold *hold, int32_t tid) {
    uint64_t free = 0, word = lock__word_for(hold, tid);

    atomic_store_explicit(&hold->word, word, memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&lock->word, &free, word, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false;
    atomic_store_explicit(&lock->hold, (uintptr_t) hold, memory_order_relaxed);
    return true;
}

/*
 * Tries until the lock is taken: a few hundred times, and as often again after each of `yields`
 * times that the thread has given its processor away. False at once if `tid` owns it already.
 */
bool lock__wait(struct nsd_lock *lock, struct nsd_hold *hold, int32_t tid, unsigned yields);
/* Only by the owner. False: another thread has taken the lock over, and nothing is changed. */
static inline bool lock__release(struct nsd_lock *lock, const struct nsd_hold *hold) {
    uint64_t word = atomic_load_explicit(&hold->word, memory_order_relaxed);

    return atomic_compare_exchange_strong_explicit(&lock->word, &word, 0, memory_order_release,
                                                   memory_order_relaxed);
}
/* The word now, 0 when the lock is free. Already old when it returns, but for one's own tid. */
static inline uint64_t lock__word(struct nsd_lock *lock) {
    return atomic_load_explicit(&lock->word, memory_order_relaxed);
}
static inline int32_t lock__owner_of(uint64_t word) {
    return (int32_t) (uint32_t) word;
}
static inline int32_t lock__owner(struct nsd_lock *lock) {
    return lock__owner_of(lock__word(lock));
}
/*
 * The address of the hold that this word was made for. `near` is an address on the same stack; it
 * decides where the whole address is not known.
 */
uintptr_t lock__hold_of(struct nsd_lock *lock, uint64_t word, uintptr_t near);
/* False for the few instructions between taking the lock and storing the whole address. */
bool lock__knows_hold_of(struct nsd_lock *lock, uint64_t word);
/* The owner of this word has left: takes the lock from it. False: the word is another by now. */
bool lock__take_over(struct nsd_lock *lock, uint64_t word, struct nsd_hold *hold, int32_t tid);
/* The caller has waited for the owner of this word in vain. */
void lock__waited_in_vain(struct nsd_lock *lock, uint64_t word, uint64_t now);
/* The caller has waited, and has the lock. */
void lock__waited_well(struct nsd_lock *lock);
/* Threads have waited for this owner in vain for longer than any time slice. */
bool lock__is_hopeless(struct nsd_lock *lock);
/* Makes the lock free in a fork child, where the owner may not exist. */
void lock__reset(struct nsd_lock *lock);

#endif
