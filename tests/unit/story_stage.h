/*
 * What a story (story.h) is told on: memory that is counted, made-up stacks whose words can be
 * looked at, and the ledger and the findings that the story is about.
 */
#ifndef STORY_STAGE_H
#define STORY_STAGE_H

#include "base/arena.h"
#include "ledger/dependence.h"
#include "ledger/ledger.h"
#include "rules/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

/* ---- memory that is counted ---- */

struct story_block {
    struct story_block *next, **link;
    size_t size;
    size_t pad; /* what follows is aligned to 16 */
};

static struct story_block *story_blocks;
static size_t story_bytes, story_most_bytes, story_limit = (size_t) -1;

void *arena__take(size_t size) {
    struct story_block *block;

    if (story_bytes + size > story_limit)
        return NULL;
    block = calloc(1, sizeof *block + size);
    if (block == NULL)
        abort();
    block->size = size;
    block->next = story_blocks;
    block->link = &story_blocks;
    if (story_blocks != NULL)
        story_blocks->link = &block->next;
    story_blocks = block;
    story_bytes += size;
    if (story_bytes > story_most_bytes)
        story_most_bytes = story_bytes;
    return block + 1;
}

static int story_failures;

void arena__give(void *memory, size_t size) {
    struct story_block *block;

    if (memory == NULL)
        return;
    block = (struct story_block *) memory - 1;
    if (block->size != size) {
        printf("  given back with %zu bytes, taken with %zu\n", size, block->size);
        story_failures++;
    }
    story_bytes -= block->size;
    *block->link = block->next;
    if (block->next != NULL)
        block->next->link = block->link;
    free(block);
}

void arena__reset(void) {
    while (story_blocks != NULL)
        arena__give(story_blocks + 1, story_blocks->size);
}

/* ---- who else looks on ---- */

/* A test that records the story, say, sets these: all of them or none. */
static struct {
    void (*before)(const struct nsd_event *event);
    void (*answered)(uint64_t value, bool could_be_read);
    void (*after)(void);
    void (*judged)(const struct nsd_event *event, enum nsd_occasion occasion);
} story_onlooker;

/* ---- the stage ---- */

#define LEADER 1
#define HOME_INODE 1000u /* of kind k: HOME_INODE + k */
#define HOME_FD 800      /* opened by main at start, of kind k: HOME_FD + k */

enum { CGROUP, IPC, MNT, NET, PID, PID_FOR_CHILDREN, TIME, TIME_FOR_CHILDREN, USER, UTS };

#define NEWNS 0x00020000u
#define NEWNET 0x40000000u
#define NEWUTS 0x04000000u
#define NEWUSER 0x10000000u
#define PRIVATE_FS_FLAG 0x00000200u

static struct nsd_ledger ledger;
static struct nsd_findings findings;
static struct nsd_change last_change;
static const char *story_name;
static bool story_shared_by_id; /* the kernel has NS_GET_ID */
static uint64_t story_clock;
static uint32_t story_token;

#define FAIL(...)                                                                                  \
    do {                                                                                           \
        printf("  %s:%d: ", __FILE__, __LINE__);                                                   \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        story_failures++;                                                                          \
    } while (0)
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            FAIL("%s", #condition);                                                                \
    } while (0)

/* ---- stacks ---- */

/*
 * A place is a function and a line in it. AT(MAIN(3), VISIT(1)) is line 1 of visit, called in line
 * 3 of main; what is outside of main (or of a thread's first function) is added. Functions have
 * frames of one size, so that the same callers give the same slots.
 */
#define FUNCTION(number, line) ((uint64_t) (number) *4096u + (uint64_t) (line) *16u)
#define MAIN(line) FUNCTION(1, line)
#define WORKER(line) FUNCTION(2, line)
#define VISIT(line) FUNCTION(3, line)
#define LIBRARY(line) FUNCTION(4, line)
#define ENTER(line) FUNCTION(5, line)
#define LEAVE(line) FUNCTION(6, line)
#define JOB(line) FUNCTION(7, line)
#define IN_C(line) FUNCTION(8, line)
#define START FUNCTION(99, 1)
#define AT(...) ((const uint64_t[]){__VA_ARGS__, 0})
#define NOWHERE NULL

#define FRAME_SIZE 64u
#define DEPTH_MOST 16u
#define THREADS_WITH_STACKS 64

/* What stands in the return address slots of each thread's stack, by depth from the outside. */
static uint64_t story_words[THREADS_WITH_STACKS][DEPTH_MOST];
static bool story_is_recording;

static uint64_t stack_base(int32_t tid) {
    return 0x7f0000000000u + (uint64_t) tid * 0x100000u;
}

static bool story_read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                            uint64_t *value) {
    uint64_t depth = (stack_base(tid) - address) / FRAME_SIZE;
    bool can_read = !story_is_recording && (stack_pointer == 0 || address + 8 >= stack_pointer) &&
                    depth != 0 && depth <= DEPTH_MOST && tid < THREADS_WITH_STACKS;

    (void) context;
    *value = can_read ? story_words[tid][depth - 1] : 0;
    if (story_onlooker.answered != NULL)
        story_onlooker.answered(*value, can_read);
    return can_read;
}

static struct nsd_frames *story_stacks[4096]; /* for the whole run */
static unsigned story_stack_count;

/* The thread's stack now; returns it as captured, with its stack pointer. */
static const struct nsd_frames *stack_of(int32_t tid, const uint64_t *places,
                                         uint64_t *stack_pointer, bool has_slots) {
    struct nsd_frame frame[DEPTH_MOST] = {{0, 0, 0}};
    uint64_t all[DEPTH_MOST] = {START}, hash = 14695981039346656037u;
    struct nsd_frames *made;
    unsigned depth = 1;

    *stack_pointer = 0;
    if (places == NULL)
        return NULL;
    while (places[depth - 1] != 0) {
        all[depth] = places[depth - 1];
        depth++;
    }
    if (has_slots)
        *stack_pointer = stack_base(tid) - depth * FRAME_SIZE + 8;
    for (unsigned i = 0; i < depth; i++) {
        unsigned from_outside = depth - 1 - i;

        frame[i].pc = all[from_outside];
        if (has_slots && i > 0)
            frame[i].slot = (uint32_t) (i * FRAME_SIZE - 8);
        hash = (hash ^ frame[i].pc) * 1099511628211u;
        if (has_slots && tid < THREADS_WITH_STACKS)
            story_words[tid][from_outside] = frame[i].pc;
    }
    for (unsigned i = 0; i < story_stack_count; i++) {
        made = story_stacks[i];
        if (made->hash == hash && made->depth == depth &&
            memcmp(made->frame, frame, depth * sizeof frame[0]) == 0)
            return made;
    }
    made = calloc(1, sizeof *made + depth * sizeof frame[0]);
    if (made == NULL || story_stack_count == sizeof story_stacks / sizeof story_stacks[0])
        abort();
    made->hash = hash;
    made->depth = (uint16_t) depth;
    made->id = story_stack_count + 1;
    memcpy(made->frame, frame, depth * sizeof frame[0]);
    story_stacks[story_stack_count++] = made;
    return made;
}

#endif
