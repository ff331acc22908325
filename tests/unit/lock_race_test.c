/*
 * The ledger's lock: one owner at a time, what an owner wrote is seen by the next one, and the
 * owner itself, as a signal handler would, gets a no at once. An owner that left has one heir.
 */
#include "base/lock.h"
#include "race.h"

#define ROUNDS 20000

static struct nsd_lock lock;
static uint64_t guarded, also_guarded; /* by the lock alone: plain */
static _Atomic uint64_t taken, refused;

static void count_under_lock(unsigned number) {
    int32_t tid = (int32_t) number + 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct nsd_hold hold, other;

        if (!lock__take(&lock, &hold, tid) && !lock__wait(&lock, &hold, tid, 200)) {
            refused++;
            continue;
        }
        CHECK(lock__owner(&lock) == tid);
        CHECK(lock__hold_of(&lock, lock__word(&lock), 0) == (uintptr_t) &hold);
        CHECK(guarded == also_guarded);
        guarded++;
        if (i % 256 == 0)
            CHECK(!lock__take(&lock, &other, tid) && !lock__wait(&lock, &other, tid, 200));
        also_guarded++;
        taken++;
        CHECK(lock__release(&lock, &hold));
    }
}

/* Each thread finds the lock left behind by an owner that is gone: one of them takes it over. */
static _Atomic uint64_t heirs;
static struct nsd_hold left;

static void inherit(unsigned number) {
    int32_t tid = (int32_t) number + 1;
    uint64_t word = lock__word_for(&left, 99);
    struct nsd_hold hold;

    if (!lock__take_over(&lock, word, &hold, tid))
        return;
    CHECK(guarded == also_guarded);
    guarded++;
    heirs++;
    also_guarded++;
    CHECK(lock__release(&lock, &hold));
}

static void one_thread(void) {
    struct nsd_hold first, second;
    uint64_t word;

    CHECK(lock__take(&lock, &first, 7));
    word = lock__word(&lock);
    CHECK(lock__owner_of(word) == 7);
    /* Where the whole address is not known, the nearest one on the caller's stack is taken. */
    CHECK(lock__knows_hold_of(&lock, word));
    lock.hold = 0;
    CHECK(!lock__knows_hold_of(&lock, word));
    CHECK(lock__hold_of(&lock, word, (uintptr_t) &second) == (uintptr_t) &first);
    CHECK(!lock__is_hopeless(&lock));
    lock__waited_in_vain(&lock, word, 1000);
    CHECK(!lock__is_hopeless(&lock));
    lock__waited_in_vain(&lock, word, 1000 + (1ull << 31));
    CHECK(lock__is_hopeless(&lock));
    lock__waited_well(&lock);
    CHECK(!lock__is_hopeless(&lock));
    lock__waited_in_vain(&lock, word, 1000 + (1ull << 31));
    CHECK(!lock__is_hopeless(&lock));
    lock__waited_in_vain(&lock, word, 1000 + (1ull << 32));
    CHECK(lock__is_hopeless(&lock));
    CHECK(!lock__take_over(&lock, word + 1, &second, 8) && lock__owner(&lock) == 7);
    CHECK(lock__take_over(&lock, word, &second, 8) && lock__owner(&lock) == 8);
    CHECK(!lock__is_hopeless(&lock));
    /* The first owner comes back after all: the lock stays with the second. */
    CHECK(!lock__release(&lock, &first) && lock__owner(&lock) == 8);
    CHECK(lock__release(&lock, &second) && lock__owner(&lock) == 0);
    CHECK(!lock__is_hopeless(&lock));
    /* A fork child finds it held by a thread that it does not have. */
    CHECK(lock__take(&lock, &first, 7));
    lock__reset(&lock);
    CHECK(lock__owner(&lock) == 0 && lock__take(&lock, &first, 8));
    CHECK(lock__release(&lock, &first));
}

int main(void) {
    one_thread();
    race__run(count_under_lock);
    CHECK(taken + refused == (uint64_t) RACE_THREADS * ROUNDS);
    CHECK(taken > 0 && guarded == taken && also_guarded == taken);
    CHECK(lock__owner(&lock) == 0);
    CHECK(lock__take(&lock, &left, 99));
    race__run(inherit);
    CHECK(heirs == 1 && guarded == also_guarded && lock__owner(&lock) == 0);
    return race__result();
}
