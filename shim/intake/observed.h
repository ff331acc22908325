/*
 * Which threads' namespaces have identities in the ledger already, for a question that costs one
 * load before each switch. A small table that forgets: where it does not know, the ledger is asked
 * under the lock.
 */
#ifndef NSD_INTAKE_OBSERVED_H
#define NSD_INTAKE_OBSERVED_H

#include "ledger/ledger.h"
#include <stdatomic.h>
#include <stdbool.h>

#define NSD_OBSERVED_PLACES 64u
/*
 * One word a thread, tid below and kinds above, so that a reader without the lock sees both or
 * neither; two threads that share a place put each other out. Relaxed: a word is whole in itself,
 * it is written under the intake's lock, and a reader that sees an older word only asks the ledger
 * once more. In the header because every setns reads it.
 */
extern _Atomic uint64_t nsd_observed[NSD_OBSERVED_PLACES];

/* The ledger has identities for these kinds of the thread, and they still hold. Any thread. */
static inline bool observed__has(int32_t tid, nsd_kinds kinds) {
    uint64_t word = atomic_load_explicit(&nsd_observed[(uint32_t) tid % NSD_OBSERVED_PLACES],
                                         memory_order_relaxed);

    return (uint32_t) word == (uint32_t) tid && (kinds & NSD_ALL_KINDS & ~(word >> 32)) == 0;
}
/*
 * Notes for which of these kinds the ledger has identities. Under the intake's lock. `ledger`: NULL
 * where it cannot be read; all these kinds then went into the recording.
 */
void observed__note(struct nsd_ledger *ledger, int32_t tid, nsd_kinds kinds);
/* The thread is new, or gone. Under the intake's lock. */
void observed__forget(int32_t tid);
/* At start and in a fork child. */
void observed__reset(void);

#endif
