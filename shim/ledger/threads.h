/*
 * The records of threads, keyed by tid, and of births: threads that a parent is creating. The
 * kernel uses a tid again, so a thread also has a serial, which is never used again. Called by the
 * ledger under its lock; rules and reports read the records.
 */
#ifndef NSD_LEDGER_THREADS_H
#define NSD_LEDGER_THREADS_H

#include "ledger/labels.h"
#include "ledger/switches.h"
#include "ledger/table.h"

struct nsd_thread {
    UT_hash_handle hh;
    struct nsd_label *label[NSD_KINDS]; /* entered: where the thread is; NULL: not known */
    struct nsd_switch *switches;        /* its open departures, newest first, linked by `outer` */
    struct nsd_switch *born_switch; /* held: the parent's open departure at the birth, or NULL */
    const struct nsd_frames *birth_frames; /* of the call that created it; NULL: not seen */
    const struct nsd_frames *exit_frames;  /* of its pthread_exit; NULL: none so far */
    uint64_t birth_stack_pointer;          /* base of the slots of birth_frames */
    uint64_t lock_epoch;                   /* as of its last event */
    int64_t goroutine;                     /* that made its last event; 0: none or unknown */
    int32_t tid;
    int32_t parent;       /* tid of its creator, 0: unknown */
    uint32_t serial;      /* 1, 2, 3 ... by birth; never used again */
    uint32_t pins;        /* depth of nsdrift_thread_pin */
    nsd_kinds collective; /* changed by an AllThreadsSyscall that other threads have yet to make */
    nsd_kinds born_away;  /* kinds in which its creator was away from home */
    uint8_t marks;        /* NSD_THREAD_... */
    uint8_t lock;         /* enum nsd_lock_state as of its last event */
    uint8_t runtime;      /* enum nsd_runtime as of its last event */
};

enum {
    NSD_THREAD_FOUND = 1u,         /* its birth was not seen */
    NSD_THREAD_PRIVATE_FS = 2u,    /* after CLONE_FS: its own root, working directory and umask */
    NSD_THREAD_PRIVATE_FILES = 4u, /* after CLONE_FILES: its own table of descriptors */
    NSD_THREAD_GO_BORN = 8u,       /* made by the Go runtime for itself: an M */
    NSD_THREAD_COLLECTIVE = 16u,   /* its next setns or unshare is one of an AllThreadsSyscall */
    NSD_THREAD_DEAD = 32u,
};

/*
 * A thread that is being created, from THREAD_CREATE to THREAD_BORN: what it inherits. The parent's
 * state is copied before its call, because the parent may switch or end before the child's first
 * event.
 */
struct nsd_birth {
    UT_hash_handle hh;
    struct nsd_label *label[NSD_KINDS]; /* entered: the child may already run there */
    struct nsd_switch *born_switch;     /* held */
    const struct nsd_frames *frames;
    uint64_t stack_pointer;
    uint32_t token;
    int32_t parent;
    nsd_kinds collective;
    nsd_kinds away; /* kinds in which the parent is away */
    uint8_t marks;  /* that the child starts with */
};

struct nsd_threads {
    struct nsd_thread *table;
    struct nsd_birth *births;
    struct nsd_thread *pending_free; /* died at the last event; rules may still read it */
    struct nsd_thread *last_found;   /* cache: one event looks up its thread several times */
    uint32_t seen;                   /* threads so far; the serial of the last */
    uint32_t lost;                   /* threads and births without memory */
};

/* By the hash table; threads__find() looks into the cache first. NULL: not known. */
struct nsd_thread *threads__look_up(struct nsd_threads *threads, int32_t tid);
static inline struct nsd_thread *threads__find(struct nsd_threads *threads, int32_t tid) {
    struct nsd_thread *last = threads->last_found;

    return last != NULL && last->tid == tid ? last : threads__look_up(threads, tid);
}
/* A new thread in unknown namespaces. NULL without memory. The tid must not be in the table. */
struct nsd_thread *threads__add(struct nsd_threads *threads, int32_t tid);
/* Threads in the table. */
static inline uint32_t threads__live(const struct nsd_threads *threads) {
    return HASH_COUNT(threads->table);
}
/*
 * Takes a thread that died out of the table. Rules may read its record until the next event, which
 * frees it by threads__free_pending(): at most one record is pending at a time.
 */
void threads__remove(struct nsd_threads *threads, struct nsd_thread *thread);
void threads__free_dead(struct nsd_threads *threads, struct nsd_labels *labels);
static inline void threads__free_pending(struct nsd_threads *threads, struct nsd_labels *labels) {
    if (threads->pending_free != NULL)
        threads__free_dead(threads, labels);
}

/*
 * Begins a birth; NULL without memory. At the limit the oldest birth is given up: its child then
 * inherits what the parent has at the child's first event.
 */
struct nsd_birth *threads__expect(struct nsd_threads *threads, struct nsd_labels *labels,
                                  uint32_t token);
/* The birth with this token, NULL if there is none. */
struct nsd_birth *threads__expected(struct nsd_threads *threads, uint32_t token);
/* Births that have begun and not ended. */
static inline uint32_t threads__expecting(const struct nsd_threads *threads) {
    return HASH_COUNT(threads->births);
}
/* Ends a birth: the child has appeared, or will not. Frees the record. */
void threads__give_up(struct nsd_threads *threads, struct nsd_labels *labels,
                      struct nsd_birth *birth);

#endif
