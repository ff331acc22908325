/*
 * Questions that can be asked of a ledger, see state.h. Only ledger__compare writes: it adds the
 * identity that it was given.
 */
#include "ledger/state.h"
#include <stddef.h>

struct nsd_thread *ledger__first_thread(struct nsd_ledger *ledger) {
    return ledger->threads.table;
}

struct nsd_thread *ledger__next_thread(struct nsd_thread *thread) {
    return thread->hh.next;
}

struct nsd_label *ledger__home(const struct nsd_ledger *ledger, enum nsd_kind kind) {
    return ledger->home.current[kind];
}

bool ledger__is_leader(const struct nsd_ledger *ledger, const struct nsd_thread *thread) {
    return thread->tid == ledger->pid;
}

int32_t ledger__tid(const struct nsd_thread *thread) {
    return thread->tid;
}

int32_t ledger__pinned(const struct nsd_thread *thread) {
    return (int32_t) thread->pins;
}

uint32_t ledger__threads_seen(const struct nsd_ledger *ledger) {
    return ledger->threads.seen;
}

/* A birth counts as a thread: the parent may end before the child's first event. */
uint32_t ledger__threads_live(const struct nsd_ledger *ledger) {
    return threads__live(&ledger->threads) + threads__expecting(&ledger->threads);
}

uint64_t ledger__lost(const struct nsd_ledger *ledger) {
    return (uint64_t) ledger->threads.lost + ledger->switches.lost + ledger->descriptors.lost;
}

enum nsd_comparison ledger__compare(struct nsd_ledger *ledger, int32_t tid, enum nsd_kind kind,
                                    const struct nsd_identity *identity) {
    struct nsd_thread *thread = threads__find(&ledger->threads, tid);
    bool known;

    if (thread == NULL || thread->label[kind] == NULL)
        return NSD_COMPARE_UNKNOWN;
    known = label__is_identified(thread->label[kind]);
    if (!labels__learn(&ledger->labels, thread->label[kind], identity))
        return NSD_COMPARE_DIFFERS;
    return known ? NSD_COMPARE_AGREES : NSD_COMPARE_LEARNT;
}
