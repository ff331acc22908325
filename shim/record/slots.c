/*
 * Claiming and committing slots of the index, see slots.h. Only words of the mapped index are
 * touched.
 */
#include "record/slots.h"
#include "base/memory.h"
#include <stddef.h>

static struct nsd_index_slot *slot_at(struct nsd_index *index, uint32_t number) {
    return (struct nsd_index_slot *) ((char *) index + NSD_RECORD_PAGE) + number;
}

static bool take(struct nsd_index_slot *slot) {
    uint32_t expected = NSD_SLOT_FREE;

    return atomic_compare_exchange_strong_explicit(&slot->state, &expected, NSD_SLOT_CLAIMED,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* Takes a slot that was never used, or, once there is none left, one that was given back. */
struct nsd_index_slot *slots__claim(struct nsd_index *index) {
    uint32_t number = atomic_fetch_add_explicit(&index->claimed, 1, memory_order_relaxed);

    if (number < NSD_INDEX_SLOTS && take(slot_at(index, number)))
        return slot_at(index, number);
    /* The counter stays near the number of slots, so that it never wraps around. */
    if (number >= NSD_INDEX_SLOTS)
        atomic_fetch_sub_explicit(&index->claimed, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < NSD_INDEX_SLOTS; i++) {
        struct nsd_index_slot *slot = slot_at(index, i);

        if (atomic_load_explicit(&slot->state, memory_order_relaxed) == NSD_SLOT_FREE && take(slot))
            return slot;
    }
    return NULL;
}

void slots__commit(struct nsd_index_slot *slot) {
    atomic_store_explicit(&slot->state, NSD_SLOT_FILLED, memory_order_release);
}

void slots__give_back(struct nsd_index_slot *slot) {
    atomic_store_explicit(&slot->state, NSD_SLOT_FREE, memory_order_release);
}

/* An image that could not ask /proc has 0 for its pid namespace: then the pid alone decides. */
static bool is_same_process(const struct nsd_record_facts *a, const struct nsd_record_facts *b) {
    return a->pid == b->pid && (a->pid_ns == b->pid_ns || a->pid_ns == 0 || b->pid_ns == 0);
}

bool slots__is_wanted_back(const struct nsd_index *index, const struct nsd_index_slot *slot) {
    const struct nsd_index_slot *first =
        (const struct nsd_index_slot *) ((const char *) index + NSD_RECORD_PAGE);

    return slot - first >= NSD_INDEX_SLOTS / 2 && !is_same_process(&slot->facts, &first->facts);
}

struct nsd_record_facts *slots__claim_unwatched(struct nsd_index *index) {
    struct nsd_index_slot *slot = slots__claim(index);

    if (slot == NULL)
        return NULL;
    slot->part = 0;
    slot->recording[0] = '\0';
    memory__fill(&slot->facts, 0, sizeof slot->facts);
    return &slot->facts;
}

static size_t put_word(struct nsd_record_facts *facts, size_t at, const char *word) {
    size_t room = sizeof facts->words - 2 - at, size = string__length(word);

    if (size > room)
        size = room;
    memory__copy(facts->words + at, word, size);
    return at + size + 1;
}

void slots__describe_unwatched(struct nsd_record_facts *facts,
                               const struct nsd_unwatched *program) {
    facts->pid = facts->leader = program->pid;
    facts->pid_ns = program->pid_ns;
    facts->start_ticks = facts->last_ticks = program->ticks;
    facts->start_wall = facts->last_wall = program->wall;
    facts->threads = 1;
    facts->ended = NSD_RECORD_EXIT;
    facts->is_go = program->counts || program->is_go;
    facts->go_unknown = program->counts;
    /* An empty list of probes, then the missing probe and why. */
    put_word(facts, put_word(facts, 1, program->probe), program->why);
}

struct nsd_index_slot *slots__of(struct nsd_record_facts *facts) {
    return (struct nsd_index_slot *) ((char *) facts - offsetof(struct nsd_index_slot, facts));
}
