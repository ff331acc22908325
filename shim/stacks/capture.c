/*
 * The stack of a call as one pointer, see capture.h. A stack that was captured before is
 * recognised: the return addresses that it had in its slots stand there again. Only a new stack is
 * unwound. Called from every hook and wrapper, in signal handlers too; no lock, no allocation.
 */
#include "stacks/capture.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "names/module_file.h"
#include "names/modules.h"
#include "stacks/extent.h"
#include "stacks/on_stack.h"
#include "stacks/unwind.h"

#include <stdbool.h>
#include <stddef.h>

/* How many known stacks of one call site are compared before the stack is looked up by its hash. */
#define COMPARED_MOST 8u
#define GO_KEY 0x476f000000000000ull

static unsigned depth_most = 32;

void capture__begin(unsigned depth) {
    if (depth >= 1 && depth <= NSD_DEPTH_MOST)
        depth_most = depth;
    unwind__begin();
}

void capture__main_stack(uintptr_t top) {
    extent__main_stack(top);
}

/* Keys are spread so that the table's buckets are. */
static uint64_t spread(uint64_t value) {
    value *= 0x9e3779b97f4a7c15ull;
    return value ^ value >> 29;
}

/*
 * Whether the stack at `stack_pointer` is this one. Goes outwards: while all return addresses so
 * far are equal, the frames are the same too, so that the next slot is at the same place.
 */
__attribute__((always_inline)) static inline bool stands_here(const struct nsd_frames *frames,
                                                              uintptr_t return_address,
                                                              uintptr_t stack_pointer,
                                                              uintptr_t high) {
    uintptr_t room = high - stack_pointer;

    if (frames->depth == 0 || frames->depth > depth_most || frames->frame[0].pc != return_address ||
        room < 8)
        return false;
    for (unsigned i = 1; i < frames->depth; i++) {
        uint32_t slot = frames->frame[i].slot;

        if (slot == 0 || slot > room - 8 ||
            *(const uint64_t *) (stack_pointer + slot) != frames->frame[i].pc)
            return false;
    }
    return true;
}

/*
 * How far the next return address is from this one, by pc: the size of a frame, which is the same
 * each time unless the function moves its stack pointer (alloca). A guess, from the stacks that are
 * known: what comes out of it is compared with a known stack before it is believed. One word each:
 * the pc's low half above, the distance below. Relaxed: nothing else is read because of them.
 */
#define DISTANCES 4096u
#define DISTANCE_NONE UINT32_MAX /* the outermost frame */
static _Atomic uint64_t distances[DISTANCES];

/* A pc has two places, so that two pcs of one stack do not push each other out. */
static unsigned place_of(uint64_t pc) {
    return (unsigned) (pc * 0x9e3779b97f4a7c15ull >> 40) % DISTANCES;
}

static void put_distance(uint64_t pc, uint32_t distance) {
    unsigned first = place_of(pc), second = first ^ 1u;
    uint64_t word = atomic_load_explicit(&distances[second], memory_order_relaxed);
    unsigned place = word >> 32 == (uint32_t) pc ? second : first;

    word = atomic_load_explicit(&distances[place], memory_order_relaxed);
    if (place == first && word != 0 && word >> 32 != (uint32_t) pc)
        place = second;
    atomic_store_explicit(&distances[place], pc << 32 | distance, memory_order_relaxed);
}

/* False if none is known. */
static bool get_distance(uint64_t pc, uint32_t *distance) {
    unsigned place = place_of(pc);
    uint64_t word = atomic_load_explicit(&distances[place], memory_order_relaxed);

    if (word >> 32 != (uint32_t) pc)
        word = atomic_load_explicit(&distances[place ^ 1u], memory_order_relaxed);
    *distance = (uint32_t) word;
    return word >> 32 == (uint32_t) pc;
}

static void learn_distances(const struct nsd_frames *frames) {
    for (unsigned i = 0; frames != NULL && i < frames->depth; i++) {
        bool is_last = i + 1u == frames->depth;
        uint32_t slot = frames->frame[i].slot, next = is_last ? 0 : frames->frame[i + 1].slot;

        if (is_last ? frames->depth < depth_most : next > slot)
            put_distance(frames->frame[i].pc, is_last ? DISTANCE_NONE : next - slot);
    }
}

/* The hash that the stack probably has; false if the distances lead nowhere. */
static bool guess_hash(uint64_t pc, uintptr_t stack_pointer, uintptr_t high, uint64_t *guess) {
    uint64_t hash = NSD_FRAMES_HASH;
    uintptr_t room = high - stack_pointer, slot = 0;

    for (unsigned depth = 1; room >= 8; depth++) {
        uint32_t distance;
        bool known = get_distance(pc, &distance);

        hash = frames__hash_step(hash, pc);
        if (depth == depth_most || (known && distance == DISTANCE_NONE)) {
            *guess = hash;
            return true;
        }
        if (!known)
            return false;
        slot += distance;
        if (slot > room - 8 || slot % 8 != 0)
            return false;
        pc = *(const uint64_t *) (stack_pointer + slot);
    }
    return false;
}

/* Not inlined: most stacks are among the first of their call site. */
__attribute__((noinline)) static const struct nsd_frames *
recall_by_hash(uint64_t key, uintptr_t return_address, uintptr_t stack_pointer, uintptr_t high) {
    const struct nsd_frames *frames;
    uint64_t hash;

    if (!guess_hash(return_address, stack_pointer, high, &hash))
        return NULL;
    for (frames = frames__first_of_hash(hash); frames != NULL;
         frames = frames__next_of_hash(frames)) {
        if (frames->key == key && stands_here(frames, return_address, stack_pointer, high))
            return frames;
    }
    return NULL;
}

/* Inlined: it is a quarter of what a setns costs. */
__attribute__((always_inline)) static inline const struct nsd_frames *
recall(uint64_t key, uintptr_t return_address, uintptr_t stack_pointer, uintptr_t high) {
    const struct nsd_frames *frames = frames__first(key);

    for (unsigned i = 0; frames != NULL; i++) {
        if (i == COMPARED_MOST)
            return recall_by_hash(key, return_address, stack_pointer, high);
        if (stands_here(frames, return_address, stack_pointer, high))
            return frames;
        frames = frames__next(frames);
    }
    return NULL;
}

/* Maps the files of a new stack's modules while their paths still lead to them. */
static void map_files(const struct nsd_frames *frames) {
    for (unsigned i = 0; frames != NULL && i < frames->depth; i++) {
        struct nsd_module *module =
            frames->frame[i].module == 0 ? NULL : modules__at(frames->frame[i].module - 1);
        if (module != NULL && !module->is_shim && !module->file_tried)
            module_file__map(module);
    }
}

/*
 * Interpreters: their C functions do not tell which function of the program calls. Beginnings of
 * file names.
 */
static const char *const interpreters[] = {
    "libffi.so", "python", "libpython", "ruby", "libruby", "perl",
    "libperl",   "lua",    "libjvm.so", "node", "php",
};
/* How many frames from the call an interpreter may be. */
#define NEAR_FRAMES 3u

static bool is_shared(const struct nsd_frames *frames) {
    for (unsigned i = 0; i < frames->depth && i < NEAR_FRAMES; i++) {
        uint32_t number = frames->frame[i].module;
        const char *path = number == 0 ? NULL : modules__at(number - 1)->path;

        for (unsigned k = 0; path != NULL && k < sizeof interpreters / sizeof interpreters[0];
             k++) {
            if (string__begins(string__base_name(path), interpreters[k]))
                return true;
        }
    }
    return false;
}

/* Not inlined: a stack that is recognised must not pay for this frame's room. */
__attribute__((noinline)) static const struct nsd_frames *
unwound(uint64_t key, const struct nsd_unwind_state *state, const struct nsd_extent *extent) {
    struct nsd_frame frame[NSD_DEPTH_MOST];
    const struct nsd_frames *frames;
    unsigned depth;

    modules__refresh();
    depth = unwind__frames(state, extent, frame, depth_most);
    frames = frames__intern(key, frame, depth);
    learn_distances(frames);
    if (frames != NULL && is_shared(frames))
        frames__mark_shared(frames);
    map_files(frames);
    return frames;
}

struct request {
    uint64_t key;
    struct nsd_unwind_state state;
    struct nsd_extent extent;
    const struct nsd_frames *frames;
};

static void unwind_for(void *argument) {
    struct request *request = argument;

    request->frames = unwound(request->key, &request->state, &request->extent);
}

/*
 * Without a spare stack and without a known extent only the call itself is recorded. Its key is one
 * that no look-up uses, or it would be found in place of every longer stack from there.
 */
static const struct nsd_frames *only_the_call(const struct request *request) {
    uintptr_t pc = request->state.pc;
    const struct nsd_frame frame = {.pc = pc, .module = modules__number(modules__of(pc))};

    return frames__intern(~request->key, &frame, 1);
}

/*
 * Unwinds on a spare stack, because it is not known how much is left of the host's: below the stack
 * of a handler or a coroutine there may be the heap. A thread's own stack serves where no spare
 * stack is free.
 */
static const struct nsd_frames *unwound_with_room(struct request *request) {
    if (!on_stack__call_apart(unwind_for, request)) {
        if (!request->extent.known)
            return only_the_call(request);
        unwind_for(request);
    }
    return request->frames != NULL ? request->frames : only_the_call(request);
}

/*
 * The same on a stack of unknown extent (a coroutine's, an alternate one): most known stacks end a
 * few pages above the call, and each page costs the kernel's answer.
 */
__attribute__((noinline)) static const struct nsd_frames *recall_further(struct request *request) {
    static const unsigned pages[] = {2, NSD_EXTENT_PAGES - 2};
    const struct nsd_unwind_state *state = &request->state;

    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const struct nsd_frames *frames;

        if (!extent__widen(&request->extent, pages[i]))
            return NULL;
        frames = recall(request->key, state->pc, state->stack_pointer, request->extent.high);
        if (frames != NULL)
            return frames;
    }
    return NULL;
}

/* A stack that is not among the first of its call site, or a new one. */
__attribute__((noinline)) static const struct nsd_frames *
capture_further(uint64_t key, const struct nsd_unwind_state *state,
                const struct nsd_extent *extent) {
    struct request request = {.key = key, .state = *state, .extent = *extent};
    const struct nsd_frames *frames;

    if (!extent->known && (frames = recall_further(&request)) != NULL)
        return frames;
    if (!frames__is_full())
        return unwound_with_room(&request);
    /* No room for a new stack, so do not pay for unwinding it: the call alone has to do. */
    frames = only_the_call(&request);
    if (frames != NULL)
        frames__count_lost();
    return frames;
}

const struct nsd_frames *capture__native(uintptr_t return_address, uintptr_t stack_pointer,
                                         uintptr_t frame_pointer) {
    uint64_t key = spread(return_address);
    const struct nsd_frames *frames;
    struct nsd_extent extent;

    if (stack_pointer == 0 || stack_pointer % 8 != 0)
        return NULL;
    extent__near(stack_pointer, machine__thread_pointer(), &extent);
    frames = recall(key, return_address, stack_pointer, extent.high);
    if (frames != NULL)
        return frames;
    return capture_further(
        key, &(struct nsd_unwind_state){return_address, stack_pointer, frame_pointer}, &extent);
}

/* No room for a new stack: the call alone. */
static const struct nsd_frames *only_the_go_call(uintptr_t pc) {
    const struct nsd_frame frame = {.pc = pc, .module = modules__number(modules__of(pc))};
    const struct nsd_frames *frames = frames__intern(~(GO_KEY ^ pc), &frame, 1);

    if (frames != NULL)
        frames__count_lost();
    return frames;
}

const struct nsd_frames *capture__go(uintptr_t pc, uintptr_t frame_pointer, uintptr_t low,
                                     uintptr_t high) {
    uint64_t pcs[NSD_DEPTH_MOST], key = GO_KEY ^ pc;
    struct nsd_frame frame[NSD_DEPTH_MOST];
    const struct nsd_frames *frames;
    unsigned depth = 0;

    pcs[depth++] = pc;
    while (depth < depth_most && frame_pointer >= low && frame_pointer % 8 == 0 &&
           frame_pointer < high && high - frame_pointer >= 16) {
        uintptr_t next = *(const uintptr_t *) frame_pointer;
        uintptr_t caller = *(const uintptr_t *) (frame_pointer + 8);

        if (caller == 0)
            break;
        pcs[depth++] = caller;
        key = (key ^ caller) * 0x9e3779b97f4a7c15ull;
        if (next <= frame_pointer)
            break;
        frame_pointer = next;
    }
    key ^= key >> 29;
    for (frames = frames__first(key); frames != NULL; frames = frames__next(frames)) {
        unsigned same = 0;

        while (frames->depth == depth && same < depth && frames->frame[same].pc == pcs[same])
            same++;
        if (same == depth)
            return frames;
    }
    if (frames__is_full())
        return only_the_go_call(pc);
    for (unsigned i = 0; i < depth; i++) {
        frame[i].pc = pcs[i];
        frame[i].slot = 0;
        frame[i].module = modules__number(modules__of(pcs[i]));
    }
    frames = frames__intern(key, frame, depth);
    map_files(frames);
    return frames;
}

const struct nsd_frames *capture__go_behind(const struct nsd_frames *native, uintptr_t pc,
                                            uintptr_t frame_pointer, uintptr_t low,
                                            uintptr_t high) {
    const struct nsd_frames *joined, *behind = capture__go(pc, frame_pointer, low, high);
    struct nsd_frame frame[NSD_DEPTH_MOST];
    unsigned depth = native->depth < depth_most ? native->depth : depth_most;

    if (behind == NULL)
        return native;
    memory__copy(frame, native->frame, depth * sizeof *frame);
    for (unsigned i = 0; i < behind->depth && depth < depth_most; i++)
        frame[depth++] = behind->frame[i];
    joined = frames__intern(GO_KEY ^ spread(native->hash ^ behind->hash), frame, depth);
    return joined != NULL ? joined : native;
}
