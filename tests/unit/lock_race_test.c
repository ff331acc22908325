/*
 * The ledger's lock: one owner at a time, what an owner wrote is seen by the next one, and the
 * owner itself, as a signal handler would, gets a no at once.
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
        if (!lock__try(&lock, tid)) {
            refused++;
            continue;
        }
        CHECK(lock__owner(&lock) == tid);
        CHECK(guarded == also_guarded);
        guarded++;
        if (i % 256 == 0)
            CHECK(!lock__try(&lock, tid));
        also_guarded++;
        taken++;
        lock__release(&lock);
    }
}

int main(void) {
    race__run(count_under_lock);
    CHECK(taken + refused == (uint64_t) RACE_THREADS * ROUNDS);
    CHECK(taken > 0 && guarded == taken && also_guarded == taken);
    CHECK(lock__owner(&lock) == 0);
    /* A fork child finds it held by a thread that it does not have. */
    CHECK(lock__try(&lock, 7));
    lock__reset(&lock);
    CHECK(lock__owner(&lock) == 0 && lock__try(&lock, 8));
    return race__result();
}
