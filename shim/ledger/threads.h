/*
 * Threads, keyed by tid, and births on their way. A tid that is used again is another thread; a
 * dead thread's memory serves the next. Called by the ledger under its lock; rules and reports
 * read the records.
 */
#ifndef NSD_LEDGER_THREADS_H
#define NSD_LEDGER_THREADS_H

#include "ledger/labels.h"
#include "ledger/switches.h"
#include "ledger/table.h"

struct nsd_thread {
    UT_hash_handle hh;
    struct nsd_label *label[NSD_KINDS]; /* where it is; entered; NULL: not known */
    struct nsd_switch *switches;        /* its open ones, newest first, by `outer` */
    struct nsd_switch *born_switch;     /* held: its parent's, open when it was born; may be NULL */
    const struct nsd_frames *birth_frames; /* of the call that created it; NULL: not seen */
    const struct nsd_frames *exit_frames;  /* of its pthread_exit; NULL: none so far */
    uint64_t birth_stack_pointer;
    uint64_t lock_epoch; /* as of its last event */
    int64_t goroutine;   /* who ran on it at its last event; 0: none or unknown */
    int32_t tid;
    int32_t parent;  /* tid of its creator, 0 unknown */
    uint32_t serial; /* 1, 2, 3 ... by birth */
    uint32_t pins;
    nsd_kinds collective; /* changed by an AllThreadsSyscall that is not complete */
    nsd_kinds born_away;  /* kinds in which its creator was away from home */
    uint8_t marks;        /* NSD_THREAD_... */
    uint8_t lock;         /* enum nsd_lock_state as of its last event */
    uint8_t runtime;      /* enum nsd_runtime as of its last event */
};

enum {
    NSD_THREAD_FOUND = 1u, /* its birth was not seen */
    NSD_THREAD_PRIVATE_FS = 2u,
    NSD_THREAD_PRIVATE_FILES = 4u,
    NSD_THREAD_GO_BORN = 8u,     /* made by the Go runtime for itself: an M */
    NSD_THREAD_COLLECTIVE = 16u, /* its next switch is a part of an AllThreadsSyscall */
    NSD_THREAD_DEAD = 32u,
};

/* What a thread that is being created starts with, from before the call until its first event. */
struct nsd_birth {
    UT_hash_handle hh;
    struct nsd_label *label[NSD_KINDS]; /* entered: the child may run already */
    struct nsd_switch *born_switch;     /* held */
    const struct nsd_frames *frames;
    uint64_t stack_pointer;
    uint32_t token;
    int32_t parent;
    nsd_kinds collective;
    nsd_kinds away;
    uint8_t marks;
};

struct nsd_threads {
    struct nsd_thread *table;
    struct nsd_birth *births;
    struct nsd_thread *pending_free; /* died by the last event */
    struct nsd_thread *last_found;   /* found last: an event asks for its thread again and again */
    uint32_t seen;                   /* in all, and the last serial */
    uint32_t lost;
};

struct nsd_thread *threads__look_up(struct nsd_threads *threads, int32_t tid);
static inline struct nsd_thread *threads__find(struct nsd_threads *threads, int32_t tid) {
    struct nsd_thread *last = threads->last_found;

    return last != NULL && last->tid == tid ? last : threads__look_up(threads, tid);
}
/* A new thread in no known namespace. NULL without memory. The tid must not be there. */
struct nsd_thread *threads__add(struct nsd_threads *threads, int32_t tid);
static inline uint32_t threads__live(const struct nsd_threads *threads) {
    return HASH_COUNT(threads->table);
}
/* Not found any more; the record stays until threads__free_pending. One may wait there at a time.
 */
void threads__remove(struct nsd_threads *threads, struct nsd_thread *thread);
void threads__free_dead(struct nsd_threads *threads, struct nsd_labels *labels);
static inline void threads__free_pending(struct nsd_threads *threads, struct nsd_labels *labels) {
    if (threads->pending_free != NULL)
        threads__free_dead(threads, labels);
}

/* A birth on its way; when too many are, the oldest is given up. NULL without memory. */
struct nsd_birth *threads__expect(struct nsd_threads *threads, struct nsd_labels *labels,
                                  uint32_t token);
struct nsd_birth *threads__expected(struct nsd_threads *threads, uint32_t token);
static inline uint32_t threads__expecting(const struct nsd_threads *threads) {
    return HASH_COUNT(threads->births);
}
void threads__give_up(struct nsd_threads *threads, struct nsd_labels *labels,
                      struct nsd_birth *birth);

#endif
