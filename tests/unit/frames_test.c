/*
 * The table of stacks: each kept once, found by its key, told apart by program counters and slots,
 * and what happens when there is no more room.
 */
#include "base/forbidden.h"
#include "ledger/frames.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

static struct nsd_frame frame[NSD_DEPTH_MOST + 1];

static const struct nsd_frames *intern(uint64_t key, uint64_t a, uint64_t b, uint32_t slot) {
    frame[0] = (struct nsd_frame){.pc = a};
    frame[1] = (struct nsd_frame){.pc = b, .slot = slot, .module = 3};
    return frames__intern(key, frame, 2);
}

static const struct nsd_frames *intern_lone(uint64_t pc) {
    frame[0] = (struct nsd_frame){.pc = pc};
    return frames__intern(pc, frame, 1);
}

static void each_once(void) {
    const struct nsd_frames *first, *other;

    CHECK(frames__first(1) == NULL && frames__lost() == 0);
    first = intern(1, 10, 20, 8);
    CHECK(first != NULL && first->depth == 2 && first->key == 1 && first->id == 1);
    CHECK(first->frame[0].pc == 10 && first->frame[1].pc == 20 && first->frame[1].slot == 8 &&
          first->frame[1].module == 3);
    CHECK(intern(1, 10, 20, 8) == first);
    other = intern(1, 10, 20, 16); /* in another slot: another run of that function */
    CHECK(other != first && other->id == 2 && other->hash == first->hash);
    other = intern(1, 10, 21, 8);
    CHECK(other != first && other->id == 3 && other->hash != first->hash);
    other = intern(1, 20, 10, 8);
    CHECK(other->hash != first->hash);
    other = intern(2, 10, 20, 8); /* by another key it is not looked for */
    CHECK(other != first && other->hash == first->hash);
    frame[0].pc = 10;
    other = frames__intern(1, frame, 1);
    CHECK(other != first && other->depth == 1 && other->hash != first->hash);
    CHECK(frames__intern(1, frame, 0) == NULL);
    CHECK(frames__intern(1, frame, NSD_DEPTH_MOST + 1) == NULL);
    other = frames__intern(1, frame, NSD_DEPTH_MOST);
    CHECK(other != NULL && other->depth == NSD_DEPTH_MOST && frames__lost() == 0);
}

/* Keys of one bucket are kept apart. */
static void by_key(void) {
    unsigned of_key[2] = {0, 0};

    frames__reset();
    CHECK(frames__first(1) == NULL);
    for (uint64_t key = 0; key < 4000; key++)
        intern(key, key, 1, 0);
    for (uint64_t key = 0; key < 4000; key++) {
        const struct nsd_frames *found = frames__first(key);

        CHECK(found != NULL && found->key == key && found->frame[0].pc == key);
        CHECK(found == NULL || frames__next(found) == NULL);
    }
    CHECK(frames__first(4000) == NULL);
    intern(7, 1000, 1, 0);
    intern(7, 1001, 1, 0);
    for (const struct nsd_frames *at = frames__first(7); at != NULL; at = frames__next(at))
        of_key[at->key != 7]++;
    CHECK(of_key[0] == 3 && of_key[1] == 0);
}

static void shared_ones(void) {
    const struct nsd_frames *frames = intern(1, 5, 6, 0);

    CHECK(frames->is_shared == 0);
    frames__mark_shared(frames);
    CHECK(frames->is_shared != 0);
    frames__mark_shared(NULL);
}

static unsigned fill(uint64_t from) {
    unsigned made = 0;
    uint32_t last = 0;

    for (uint64_t i = from; i < from + 100000; i++, made++) {
        const struct nsd_frames *now;

        for (unsigned k = 0; k < NSD_DEPTH_MOST; k++)
            frame[k] = (struct nsd_frame){.pc = i};
        now = frames__intern(i, frame, NSD_DEPTH_MOST);
        if (now == NULL)
            break;
        CHECK(last == 0 || now->id == last + 1);
        last = now->id;
    }
    return made;
}

/* The table grows by mappings to its bound; none of the stacks touches another. */
static void no_more_room(void) {
    const size_t size = sizeof(struct nsd_frames) + NSD_DEPTH_MOST * sizeof frame[0];
    unsigned made, most = (unsigned) (NSD_STACKS_ROOM / size), lone = 0;

    frames__reset();
    made = fill(1);
    /* Little of it is not stacks: the indexes, what is kept for single calls, ends of mappings. */
    CHECK(made <= most && made >= most - most / 50 && frames__lost() == 1 && frames__is_full());
    for (uint64_t i = 1; i <= made; i++) {
        const struct nsd_frames *at = frames__first(i);

        CHECK(at != NULL && at->key == i && at->frame[0].pc == i &&
              at->frame[NSD_DEPTH_MOST - 1].pc == i && frames__next(at) == NULL);
    }
    /* Each loss counts. */
    for (unsigned i = 2; i < 10; i++)
        CHECK(frames__intern(100000 + i, frame, NSD_DEPTH_MOST) == NULL && frames__lost() == i);
    frames__count_lost();
    CHECK(frames__lost() == 10);
    /* What is known needs no room, and there still is some for single calls. */
    for (unsigned k = 0; k < NSD_DEPTH_MOST; k++)
        frame[k] = (struct nsd_frame){.pc = 1};
    CHECK(frames__intern(1, frame, NSD_DEPTH_MOST) == frames__first(1));
    while (lone < 1000 && intern_lone(200000 + lone) != NULL)
        lone++;
    CHECK(lone == 1000 && frames__lost() == 10);
    frames__reset();
    CHECK(frames__lost() == 0 && frames__first(1) == NULL && !frames__is_full());
    frames__reset();
}

/* 10,000 stacks of 32 frames, as one call site has them, are kept and found by their hashes. */
static void ten_thousand(void) {
    const unsigned depth = 32;
    unsigned count = 0;

    for (uint64_t i = 0; i < 10000; i++) {
        for (unsigned k = 0; k < depth; k++)
            frame[k] = (struct nsd_frame){.pc = k == 20 ? 1000 + i : k + 1, .slot = 8 * k};
        CHECK(frames__intern(1, frame, depth) != NULL);
    }
    CHECK(frames__lost() == 0 && !frames__is_full());
    for (const struct nsd_frames *at = frames__first(1); at != NULL; at = frames__next(at)) {
        const struct nsd_frames *same = frames__first_of_hash(at->hash);

        while (same != NULL && same != at)
            same = frames__next_of_hash(same);
        CHECK(same == at);
        count++;
    }
    CHECK(count == 10000);
    frames__reset();
}

/*
 * A fork copy has lost nothing, and all the room again where the parent's table was nearly full;
 * stacks from before the fork stay as they are.
 */
static void in_a_copy(void) {
    const struct nsd_frames *before;
    pid_t child;
    int status;

    for (unsigned nearly_full = 0; nearly_full < 2; nearly_full++) {
        unsigned most = 0;

        before = intern(1, 2, 3, 8);
        if (nearly_full)
            most = fill(100);
        CHECK((frames__lost() != 0) == (nearly_full == 1));
        fflush(stdout);
        child = fork();
        if (child == 0) {
            frames__begin_copy();
            CHECK(frames__lost() == 0 && !frames__is_full());
            CHECK(before->depth == 2 && before->frame[1].pc == 3);
            CHECK((frames__first(1) == before) == (nearly_full == 0));
            if (nearly_full) {
                CHECK(fill(1) + 2 >= most);
                frames__begin_copy(); /* as in a copy of the copy */
                CHECK(frames__lost() == 0 && intern(1, 2, 3, 8)->id == 1);
            }
            _exit(failures != 0);
        }
        waitpid(child, &status, 0);
        CHECK(status == 0);
        frames__reset();
    }
}

/* Once no call may be made there is a table or there is none. */
static void under_a_filter(void) {
    pid_t child;
    int status;

    for (int prepared = 0; prepared < 2; prepared++) {
        fflush(stdout);
        child = fork();
        if (child == 0) {
            if (prepared)
                frames__prepare();
            sys__forbid();
            _exit((intern(1, 2, 3, 0) != NULL) == (prepared == 1) ? 0 : 1);
        }
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
}

int main(void) {
    each_once();
    by_key();
    shared_ones();
    no_more_room();
    ten_thousand();
    in_a_copy();
    under_a_filter();
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
