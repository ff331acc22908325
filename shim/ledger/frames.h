/*
 * Stacks, each kept once and for the life of the image. Events, departures and findings hold a
 * pointer to a stack; two events come from the same place if the hashes are equal.
 *
 *     make     bytes for the stack are taken from one mapping of fixed size by an atomic add
 *     publish  the finished stack becomes the first of its bucket, by compare and swap with release
 *     find     a reader loads the bucket with acquire, so it sees the finished stack, and follows
 *              `next`; nothing that it reaches is changed (is_shared excepted) or freed
 *
 * Two threads that make the same stack at once publish two copies; that costs room and is harmless,
 * as comparisons go by hash. Called by the capture in every hook, by the ledger and the reports. No
 * lock: safe in a signal handler, on a Go stack and in a fork child, where a stack that another
 * thread was making at the fork is simply never published.
 */
#ifndef NSD_LEDGER_FRAMES_H
#define NSD_LEDGER_FRAMES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define NSD_DEPTH_MOST 64

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
    struct nsd_frames *next; /* in the same bucket; constant after publishing */
    uint64_t hash;           /* of the pcs alone */
    uint64_t key;            /* the capture's own hash, by which the bucket is chosen */
    uint32_t id;             /* 1, 2, 3 ... by the time it was made */
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
 * stack, and the loss is counted.
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
const struct nsd_frames *frames__next(const struct nsd_frames *frames, uint64_t key);
/* Maps the table in advance: called before the host's seccomp filter makes mmap impossible. */
void frames__prepare(void);
/* Stacks without room, since the image began. */
uint64_t frames__lost(void);
/* Unmaps the table; every stack becomes invalid. For unit tests, with one thread. */
void frames__reset(void);

#endif
