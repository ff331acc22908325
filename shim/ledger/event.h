/*
 * An event: one call or one change of a thread's state, as a probe saw it, without judgement.
 * A probe fills the struct on its stack and hands it to the intake; the ledger and the rules read
 * it; a recording keeps it. It is complete in itself: a reader of a recording has nothing else.
 */
#ifndef NSD_LEDGER_EVENT_H
#define NSD_LEDGER_EVENT_H

#include "ledger/calls.h"
#include "ledger/frames.h"
#include "ledger/kinds.h"
#include <stdbool.h>
#include <stdint.h>

/* Which runtime schedules the caller. */
enum nsd_runtime {
    NSD_RUNTIME_THREADS, /* one thread of the program is one of the kernel: C, C++, Rust, Python */
    NSD_RUNTIME_GO,      /* a goroutine's call on an M */
};

/* Whether the calling code is tied to its thread. */
enum nsd_lock_state {
    NSD_LOCK_NONE,     /* one-to-one, and not pinned by nsdrift_thread_pin */
    NSD_LOCK_UNKNOWN,  /* Go, but the state cannot be read (unknown build) */
    NSD_LOCK_UNLOCKED, /* Go: the goroutine is not wired to its M */
    NSD_LOCK_PINNED,   /* nsdrift_thread_pin */
    NSD_LOCK_EXTERNAL, /* Go: LockOSThread (lockedExt) */
    NSD_LOCK_INTERNAL, /* Go: lockedInt alone: init on the main thread, a C-to-Go callback */
    NSD_LOCK_CGO,      /* Go: inside a C call, wired by that call alone until it returns */
    NSD_LOCK_WEDGED,   /* Go: lockedExt != 0 and lockedg == 0: the locked goroutine has ended */
};

/*
 * What the kernel says of a namespace. 0: unknown. `id` (NS_GET_ID, Linux 6.18) is never used
 * again. `inode` is no identity over time: the kernel gives the inode of a dead namespace to the
 * next one at once.
 */
struct nsd_identity {
    uint64_t id;
    uint64_t inode;
    uint32_t device;
    uint32_t kind; /* enum nsd_kind */
};

/* How a path under /proc named the thread whose namespace it leads to. */
enum nsd_path_owner {
    NSD_PATH_OTHER,       /* none: /run/netns, a bind mount, an unknown form */
    NSD_PATH_SELF,        /* /proc/self/ns: the leader's */
    NSD_PATH_THREAD_SELF, /* /proc/thread-self/ns: the caller's own */
    NSD_PATH_TASK,        /* /proc/PID/task/TID/ns, /proc/self/task/TID/ns: other_tid is TID */
    NSD_PATH_PID,         /* /proc/PID/ns: other_tid is PID */
};

struct nsd_event {
    uint64_t time;         /* clock__ticks() */
    uint64_t arguments[5]; /* as passed to the call; pointers among them are never followed */
    int64_t result;        /* of the call; a negative errno if it failed */
    int64_t goroutine;     /* 0: none or unknown */
    uint64_t lock_epoch;   /* Go: m.ncgocall during a cgo call, else 0 */
    const struct nsd_frames *frames; /* NULL: not captured */
    uint64_t stack_pointer;          /* base of the frames' slots (frames.h); 0: unknown */
    int32_t tid;                     /* the caller */
    /*
     * Another thread or process that the event is about, 0: unknown. THREAD_BORN: the parent.
     * OPEN: the thread that the path names. IDENTITY: the thread that is in these namespaces.
     * FORK and the like: the child's pid.
     */
    int32_t other_tid;
    /*
     * Joins the two events of a birth, 0: none. THREAD_CREATE comes from the parent, before its
     * call: what the child inherits is what the parent has then. THREAD_BORN comes from the child.
     * THREAD_NOT_CREATED comes from the parent if its call failed.
     */
    uint32_t token;
    uint16_t call;      /* enum nsd_call */
    nsd_kinds kinds;    /* kinds that the call names or depends on, beside those of its row */
    uint8_t runtime;    /* enum nsd_runtime */
    uint8_t lock;       /* enum nsd_lock_state, at the call */
    uint8_t path_owner; /* enum nsd_path_owner, OPEN */
    uint8_t identities; /* how many of identity[] are filled */
    /*
     * The kernel's number of threads of this process at the call; 0: not asked. Asked before a
     * setns or unshare while the ledger knows of one thread: a raw clone may have made another.
     */
    uint32_t kernel_threads;
    bool from_descriptor; /* SETNS: identity[] is the descriptor's, not the thread's in /proc */
    bool explicit_end;    /* THREAD_DIED: by pthread_exit, which was a THREAD_EXIT event */
    bool cancelled;       /* THREAD_DIED: by cancellation, as far as that is visible */
    struct nsd_identity identity[NSD_KINDS]; /* SETNS by a pidfd: one for each named kind */
};

#endif
