/*
 * What a probe hands in: one thing that happened, as it was seen, without judgement. Probes fill
 * it on their stack; the ledger and the rules read it; a recording keeps it. An event is complete
 * in itself: whoever reads a recording has nothing else.
 */
#ifndef NSD_LEDGER_EVENT_H
#define NSD_LEDGER_EVENT_H

#include "ledger/calls.h"
#include "ledger/frames.h"
#include "ledger/kinds.h"
#include <stdbool.h>
#include <stdint.h>

/* Whose rules the calling thread follows. */
enum nsd_runtime {
    NSD_RUNTIME_THREADS, /* one to one: C, C++, Rust, Python */
    NSD_RUNTIME_GO,      /* a goroutine's call on an M */
};

enum nsd_lock_state {
    NSD_LOCK_NONE,     /* the runtime has no such thing, or nobody pinned the thread */
    NSD_LOCK_UNKNOWN,  /* it has, but it cannot be read (unknown Go build) */
    NSD_LOCK_UNLOCKED, /* Go: not wired; pinned and unpinned again: NONE */
    NSD_LOCK_PINNED,   /* nsdrift_thread_pin */
    NSD_LOCK_EXTERNAL, /* Go: LockOSThread (lockedExt) */
    NSD_LOCK_INTERNAL, /* Go: lockedInt alone: init on the main thread, a C-to-Go callback */
    NSD_LOCK_CGO,      /* Go: inside a C call, wired by that call alone until it returns */
    NSD_LOCK_WEDGED,   /* Go: lockedExt != 0 and lockedg == 0: the locked goroutine has ended */
};

/*
 * What the kernel says a namespace is. inode alone is no identity over time (it is used again at
 * once); id is (NS_GET_ID, Linux 6.18), where the kernel has it. 0: unknown.
 */
struct nsd_identity {
    uint64_t id;
    uint64_t inode;
    uint32_t device;
    uint32_t kind; /* enum nsd_kind */
};

/* How a path under /proc named the thread whose namespace it leads to. */
enum nsd_path_owner {
    NSD_PATH_OTHER,       /* not a thread: /run/netns, a bind mount, an unknown form */
    NSD_PATH_SELF,        /* /proc/self/ns: the leader's */
    NSD_PATH_THREAD_SELF, /* /proc/thread-self/ns: the caller's own */
    NSD_PATH_TASK,        /* /proc/PID/task/TID/ns, /proc/self/task/TID/ns: other_tid is TID */
    NSD_PATH_PID,         /* /proc/PID/ns: other_tid is PID */
};

struct nsd_event {
    uint64_t time;            /* clock__ticks() */
    uint64_t arguments[5];    /* as the call took them; no pointers are followed later */
    int64_t result;           /* of the call; a negative errno if it failed */
    int64_t goroutine;        /* 0: none or unknown */
    uint64_t lock_epoch;      /* Go: m.ncgocall during a cgo call, else 0 */
    const struct nsd_frames *frames; /* NULL: not captured */
    uint64_t stack_pointer;   /* what frame[].slot is relative to; 0 unknown */
    int32_t tid;              /* who made the call */
    /*
     * THREAD_CREATE/THREAD_NOT_CREATED/THREAD_BORN: see `token`; THREAD_BORN: other_tid is the
     * parent's tid (0 unknown). OPEN: the thread that the path names. IDENTITY: the thread whose
     * namespaces the identities are. FORK...: the child's pid.
     */
    int32_t other_tid;
    /*
     * A birth has two events: THREAD_CREATE by the parent before the call (it freezes what the
     * child inherits) and THREAD_BORN by the child; the token joins them. 0: none.
     */
    uint32_t token;
    uint16_t call;            /* enum nsd_call */
    nsd_kinds kinds;          /* kinds that the call names or depends on; see calls.h */
    uint8_t runtime;          /* enum nsd_runtime */
    uint8_t lock;             /* enum nsd_lock_state, at the call */
    uint8_t path_owner;       /* enum nsd_path_owner, OPEN */
    uint8_t identities;       /* how many of identity[] are filled */
    /*
     * The kernel's number of threads of this process at the call, where ours could be wrong
     * (SWITCH events while our count is one); 0: not asked.
     */
    uint32_t kernel_threads;
    bool from_descriptor;     /* SETNS: identity[] was read from the descriptor, not from /proc */
    bool explicit_end;        /* THREAD_DIED: by pthread_exit; THREAD_EXIT is its call */
    bool cancelled;           /* THREAD_DIED: by cancellation, where that can be told */
    struct nsd_identity identity[NSD_KINDS];
};

/* For a setns that goes by a pidfd every named kind is in identity[], one each. */

#endif
