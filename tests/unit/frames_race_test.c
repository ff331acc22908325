/*
 * The table of stacks, filled by several threads at once from its first entry to its last: each
 * gets back the stack that it gave, finds it again by its key, and what had no room is counted.
 */
#include "ledger/frames.h"
#include "race.h"

#include <stdbool.h>

#define ROUNDS 20
#define STACKS 300u /* each thread interns all of them */
#define SHARED 7u   /* stacks have the same key */
#define MOST 131072u
#define ONE_SITE 8000u /* stacks of one key */

static _Atomic uint32_t seen[MOST]; /* by id: a hash of the stack that has it */
static _Atomic uint64_t without_room;

static unsigned make(uint32_t which, struct nsd_frame *frame) {
    unsigned depth = 1 + which % 9;

    for (unsigned i = 0; i < depth; i++)
        frame[i] = (struct nsd_frame){.pc = 0x1000u * (which + 1) + i, .slot = 8 * i, .module = 1};
    return depth;
}

static bool is_this(const struct nsd_frames *frames, uint64_t key, const struct nsd_frame *frame,
                    unsigned depth) {
    if (frames->key != key || frames->depth != depth)
        return false;
    for (unsigned i = 0; i < depth; i++) {
        if (frames->frame[i].pc != frame[i].pc || frames->frame[i].slot != frame[i].slot)
            return false;
    }
    return true;
}

static bool intern(uint32_t which) {
    struct nsd_frame frame[9];
    unsigned depth = make(which, frame), copies = 0;
    uint64_t key = which / SHARED;
    const struct nsd_frames *mine = frames__intern(key, frame, depth);
    uint32_t nothing = 0;
    bool found = false;

    if (mine == NULL) {
        without_room++;
        return false;
    }
    CHECK(is_this(mine, key, frame, depth));
    CHECK(mine->id > 0 && mine->id < MOST);
    /* No two stacks have one id. */
    if (!atomic_compare_exchange_strong(&seen[mine->id], &nothing, which + 1))
        CHECK(nothing == which + 1);
    if (which % 5 == 0)
        frames__mark_shared(mine);
    for (const struct nsd_frames *at = frames__first(key); at != NULL; at = frames__next(at)) {
        CHECK(at->key == key);
        if (is_this(at, key, frame, depth))
            copies++;
        found |= at == mine;
    }
    /* Threads that make one at the same time leave one each at the most. */
    CHECK(found && copies >= 1 && copies <= RACE_THREADS);
    return true;
}

static void intern_the_same(unsigned number) {
    for (uint32_t i = 0; i < STACKS; i++)
        CHECK(intern((i + number * (STACKS / RACE_THREADS)) % STACKS));
}

static void intern_until_full(unsigned number) {
    uint32_t which = number;

    while (intern(which))
        which += RACE_THREADS;
    /* What is known needs no room. (A thread that came last may have found none for its first.) */
    CHECK(which == number || intern(number));
}

/*
 * Thousands of stacks of one key, across several mappings: each is found by its hash, whichever
 * thread made it and whichever thread made the key's first one.
 */
static void intern_one_site(unsigned number) {
    struct nsd_frame frame[9];

    for (uint32_t i = 0; i < ONE_SITE; i++) {
        uint32_t which = (i + number * 7) % ONE_SITE;
        unsigned depth = make(which, frame);
        const struct nsd_frames *mine = frames__intern(1, frame, depth);
        const struct nsd_frames *at = mine == NULL ? NULL : frames__first_of_hash(mine->hash);
        const struct nsd_frames *first = frames__first(1);

        CHECK(mine != NULL && is_this(mine, 1, frame, depth));
        while (at != NULL && at != mine)
            at = frames__next_of_hash(at);
        CHECK(at == mine && first != NULL && first->key == 1);
        if (i % 256 != 0)
            continue;
        for (at = first; at != NULL && at != mine; at = frames__next(at))
            CHECK(at->key == 1);
        CHECK(at == mine);
    }
}

static void forget(void) {
    frames__reset();
    for (unsigned i = 0; i < MOST; i++)
        seen[i] = 0;
    without_room = 0;
}

int main(void) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        forget();
        race__run(intern_the_same);
        CHECK(frames__lost() == 0);
        for (uint32_t which = 0; which < STACKS; which += 5) {
            struct nsd_frame frame[9];
            const struct nsd_frames *at = frames__intern(which / SHARED, frame, make(which, frame));

            CHECK(at != NULL && at->is_shared);
        }
    }
    forget();
    race__run(intern_until_full);
    CHECK(without_room == RACE_THREADS && frames__lost() == without_room);
    CHECK(frames__is_full());
    forget();
    race__run(intern_one_site);
    CHECK(frames__lost() == 0);
    return race__result();
}
