/*
 * Stacks, each kept once. A stack is made by a probe's capture, is never changed or freed after it
 * was published, and stands in events, switches and findings as a pointer: two events come from
 * the same place when their frames have the same hash. Lock-free: reached from every hook, from
 * signal handlers and (reading only) from fork children.
 */
#ifndef NSD_LEDGER_FRAMES_H
#define NSD_LEDGER_FRAMES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define NSD_DEPTH_MOST 64

struct nsd_frame {
    uint64_t pc; /* as found: a return address, but for frame 0 of a signal (not used here) */
    /*
     * Where that return address stood, in bytes above the stack pointer of the captured call: the
     * slot that a visit looks at to know whether this frame's callee is still running. frame[i].pc
     * stands in slot frame[i].slot; 0 where unknown (Go: never known, stacks move).
     */
    uint32_t slot;
    uint32_t
        module; /* 1-based number in the module table at capture (names/modules.h), 0 unknown */
};

struct nsd_frames {
    struct nsd_frames *next; /* same bucket */
    uint64_t hash;           /* of the pcs alone */
    uint64_t key;            /* what the capture's cache looks it up by */
    uint32_t id;             /* 1, 2, 3 ... in order of first sight */
    uint16_t depth;
    /*
     * Not 0: an interpreter's or libffi's way into a call, on which every function of the program
     * in its language stands alike. That one of them came home says nothing about another.
     */
    _Atomic uint16_t is_shared;
    struct nsd_frame frame[];
};

/*
 * The one copy of this stack, made if it is new: same pcs and same slots. NULL when the table is
 * full (bounded memory): callers go on without a stack.
 */
const struct nsd_frames *frames__intern(uint64_t key, const struct nsd_frame *frame,
                                        unsigned depth);
/* Said by who interned it, see is_shared. NULL is ignored. */
void frames__mark_shared(const struct nsd_frames *frames);
/* First stack with this key, and from one to the next: for a capture that checks before it unwinds.
 */
const struct nsd_frames *frames__first(uint64_t key);
const struct nsd_frames *frames__next(const struct nsd_frames *frames, uint64_t key);
/* Has its memory from the kernel, before the host forbids system calls of ours. */
void frames__prepare(void);
/* Stacks that found no room, since the image began. */
uint64_t frames__lost(void);
/* Forgets all: between unit tests, and in a fork child. */
void frames__reset(void);

#endif
