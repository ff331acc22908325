/*
 * Writing the table of observed threads (observed.h), under the intake's lock.
 */
#include "intake/observed.h"

_Atomic uint64_t nsd_observed[NSD_OBSERVED_PLACES];

static _Atomic uint64_t *place_of(int32_t tid) {
    return &nsd_observed[(uint32_t) tid % NSD_OBSERVED_PLACES];
}

static nsd_kinds kinds_for(uint64_t word, int32_t tid) {
    return (uint32_t) word == (uint32_t) tid ? (nsd_kinds) (word >> 32) : 0;
}

void observed__note(struct nsd_ledger *ledger, int32_t tid, nsd_kinds kinds) {
    const uint64_t word = atomic_load_explicit(place_of(tid), memory_order_relaxed);
    nsd_kinds known = (nsd_kinds) (kinds_for(word, tid) | kinds);
    uint64_t changed;

    FOR_EACH_KIND(kind, kinds) {
        if (ledger != NULL && ledger__unidentified(ledger, tid, kind))
            known = (nsd_kinds) (known & ~NSD_KIND_BIT(kind));
    }
    changed = (uint64_t) known << 32 | (uint32_t) tid;
    if (word != changed)
        atomic_store_explicit(place_of(tid), changed, memory_order_relaxed);
}

void observed__forget(int32_t tid) {
    atomic_store_explicit(place_of(tid), 0, memory_order_relaxed);
}

void observed__reset(void) {
    for (unsigned i = 0; i < NSD_OBSERVED_PLACES; i++)
        atomic_store_explicit(&nsd_observed[i], 0, memory_order_relaxed);
}
