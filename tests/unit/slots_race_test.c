/*
 * The slots of a run's index, as many images claim, fill and give them back: no slot has two
 * claimers, a committed slot is whole to a reader, and a slot that was given back is used again
 * when no other is left.
 */
#include "race.h"
#include "record/slots.h"

#include <string.h>

#define ROUNDS 3000
#define HELD 8

static struct nsd_index *the_index;
static _Atomic uint32_t claimers[NSD_INDEX_SLOTS];
static _Atomic uint64_t found_none;

static struct nsd_index_slot *slot_number(uint32_t number) {
    return (struct nsd_index_slot *) ((char *) the_index + NSD_RECORD_PAGE) + number;
}

static struct nsd_index_slot *claim_and_fill(uint32_t value) {
    struct nsd_record_facts *facts = slots__claim_unwatched(the_index);
    struct nsd_index_slot *slot;

    if (facts == NULL) {
        found_none++;
        return NULL;
    }
    slot = slots__of(facts);
    CHECK(claimers[slot - slot_number(0)]++ == 0);
    CHECK(facts->events == 0 && facts->lost == 0);
    facts->events = facts->lost = value;
    slots__commit(slot);
    return slot;
}

static void give_back(struct nsd_index_slot *slot) {
    if (slot == NULL)
        return;
    CHECK(slot->facts.events == slot->facts.lost);
    CHECK(--claimers[slot - slot_number(0)] == 0);
    slots__give_back(slot);
}

/* What a fork copy does that ends with nothing to say. */
static void come_and_go(unsigned number) {
    struct nsd_index_slot *held[HELD];

    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned k = 0; k < HELD; k++)
            held[k] = claim_and_fill(number * ROUNDS + i + 1);
        for (unsigned k = 0; k < HELD; k++)
            give_back(held[k]);
    }
}

/* What an image does that stays in the index. */
static void come_and_stay(unsigned number) {
    while (claim_and_fill(number + 1) != NULL)
        ;
}

int main(void) {
    uint32_t filled = 0;

    the_index = calloc(1, NSD_INDEX_SIZE);
    if (the_index == NULL)
        return 77;
    race__run(come_and_go);
    CHECK(found_none == 0); /* far fewer are held than there are */
    for (uint32_t i = 0; i < NSD_INDEX_SLOTS; i++)
        CHECK(slot_number(i)->state == NSD_SLOT_FREE && claimers[i] == 0);
    race__run(come_and_stay);
    CHECK(found_none == RACE_THREADS);
    for (uint32_t i = 0; i < NSD_INDEX_SLOTS; i++)
        filled += slot_number(i)->state == NSD_SLOT_FILLED && claimers[i] == 1;
    CHECK(filled == NSD_INDEX_SLOTS);
    /* The claimed count must not run away, or it would come round. */
    CHECK(the_index->claimed <= NSD_INDEX_SLOTS);
    return race__result();
}
