/*
 * Stacks, each kept once and for the life of the image. Events, departures and findings hold a
 * pointer to a stack; two events come from the same place if the hashes are equal.
 *
 *     make     bytes for the stack are taken from a mapping by an atomic add; when the mapping is
 *              used up there is another one, up to NSD_STACKS_ROOM in all
 *     publish  the finished stack goes into two indexes, by compare and swap with release: by its
 *              hash, and by its key, where stacks of one key hang on the first of them
 *     find     a reader loads a bucket with acquire, so it sees the finished stack, and follows the
 *              links; nothing that it reaches is changed (is_shared and `same` excepted) or freed
 *
 * Two threads that make the same stack at once publish two copies; that costs room and is harmless,
 * as comparisons go by hash. Called by the capture in every hook, by the ledger and the reports. No
 * lock: safe in a signal handler, on a Go stack and in a fork child, where a stack that another
 * thread was making at the fork is simply never published.
 */
#ifndef NSD_LEDGER_FRAMES_H
#define NSD_LEDGER_FRAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSD_DEPTH_MOST 64
/*
 * Of all stacks together. 10,000 stacks of 32 frames take 5.6 MB; memory that no stack uses is
 * never touched.
 */
#define NSD_STACKS_ROOM ((size_t) 8 << 20)

struct nsd_frame {
    uint64_t pc; /* a return address */
    /*
     * Where the return address was on the stack, in bytes above the stack pointer of the captured
     * call. A visit reads this slot to learn whether the function that was called from here still
     * runs. 0: not known (always for Go, because goroutine stacks move).
     */
    uint32_t slot;
    uint32_t
        module; /* 1-based number in the module table at capture (names/modules.h), 0 unknown */
};

struct nsd_frames {
    /* The first stack of another key in the same bucket; constant after publishing. */
    struct nsd_frames *next_key;
    /*
     * Another stack of the same key. Release to publish a stack on the first of its key, acquire to
     * follow; in the others it is constant after publishing.
     */
    _Atomic(struct nsd_frames *) same_key;
    struct nsd_frames *next_hash; /* in the same bucket of hashes; constant after publishing */
    uint64_t hash;                /* of the pcs alone */
    uint64_t key;                 /* the capture's own hash, by which the bucket is chosen */
    uint32_t id;                  /* 1, 2, 3 ... by the time it was made */
    uint16_t depth;
    /*
     * Not 0: a stack inside an interpreter or libffi, which is the same for every function of the
     * interpreted program. That one of them restored its thread says nothing about another, so
     * visits learn nothing from it. Relaxed: set once, and nothing is published with it.
     */
    _Atomic uint16_t is_shared;
    struct nsd_frame frame[];
};

/*
 * The stack with these pcs and slots, made if it is new. `key` is the caller's hash of it. NULL if
 * the depth is 0 or above NSD_DEPTH_MOST, or if there is no room: the caller goes on without a
 * stack, and the loss is counted. For stacks of one frame some room is kept when there is none for
 * others.
 */
const struct nsd_frames *frames__intern(uint64_t key, const struct nsd_frame *frame,
                                        unsigned depth);
/* Sets is_shared; by the capture that made the stack. NULL is ignored. */
void frames__mark_shared(const struct nsd_frames *frames);
static inline int frames__is_shared(const struct nsd_frames *frames) {
    return atomic_load_explicit(&((struct nsd_frames *) (uintptr_t) frames)->is_shared,
                                memory_order_relaxed);
}
/*
 * The first stack with this key and the next one, NULL at the end: a capture looks for a stack that
 * it knows before it unwinds.
 */
const struct nsd_frames *frames__first(uint64_t key);
static inline const struct nsd_frames *frames__next(const struct nsd_frames *frames) {
    return atomic_load_explicit(&((struct nsd_frames *) (uintptr_t) frames)->same_key,
                                memory_order_acquire);
}
/* The same for a hash, which is NSD_FRAMES_HASH and then a step for each pc. */
#define NSD_FRAMES_HASH 0xcbf29ce484222325ull
static inline uint64_t frames__hash_step(uint64_t hash, uint64_t pc) {
    return (hash ^ pc) * 0x9e3779b97f4a7c15ull ^ (hash >> 29);
}
const struct nsd_frames *frames__first_of_hash(uint64_t hash);
const struct nsd_frames *frames__next_of_hash(const struct nsd_frames *frames);
/*
 * Maps memory for stacks in advance: called before the host's seccomp filter makes mmap impossible.
 */
void frames__prepare(void);
/*
 * In a fork copy: nothing is lost yet, and a table that is near its bound is left to the parent, so
 * that the copy has all the room again. The stacks that the copy holds stay valid.
 */
void frames__begin_copy(void);
/* There was no room for a stack: not worth unwinding another one. */
bool frames__is_full(void);
/* A stack was not even made, for want of room. */
void frames__count_lost(void);
/* Stacks without room, since the image began. */
uint64_t frames__lost(void);
/* Unmaps the table; every stack becomes invalid. For unit tests, with one thread. */
void frames__reset(void);

#endif
