/*
 * The table of observed threads (observed.h): one word a thread, tid below and kinds above, so that
 * a reader without the lock sees both or neither. Two threads that share a place put each other out.
 */
#include "intake/observed.h"
#include <stdatomic.h>

#define PLACES 64u

/*
 * Relaxed: a word is whole in itself, it is written under the intake's lock, and a reader that sees
 * an older word only asks the ledger once more.
 */
static _Atomic uint64_t observed[PLACES];

static _Atomic uint64_t *place_of(int32_t tid) {
    return &observed[(uint32_t) tid % PLACES];
}

static nsd_kinds kinds_for(uint64_t word, int32_t tid) {
    return (uint32_t) word == (uint32_t) tid ? (nsd_kinds) (word >> 32) : 0;
}

bool observed__has(int32_t tid, nsd_kinds kinds) {
    uint64_t word = atomic_load_explicit(place_of(tid), memory_order_relaxed);

    return (uint32_t) word == (uint32_t) tid &&
           (kinds & NSD_ALL_KINDS & ~kinds_for(word, tid)) == 0;
}

void observed__note(struct nsd_ledger *ledger, int32_t tid, nsd_kinds kinds) {
    const uint64_t word = atomic_load_explicit(place_of(tid), memory_order_relaxed);
    nsd_kinds known = (nsd_kinds) (kinds_for(word, tid) | kinds);
    uint64_t changed;

    FOR_EACH_KIND(kind, kinds) {
        if (ledger__unidentified(ledger, tid, kind))
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
    for (unsigned i = 0; i < PLACES; i++)
        atomic_store_explicit(&observed[i], 0, memory_order_relaxed);
}
