/*
 * The state of a ledger as one struct, and the questions that may be asked of it. Asked by the
 * files of the ledger, the rules, the reports and the intake, under the ledger's lock. No question
 * changes the state, except that ledger__compare adds an identity.
 */
#ifndef NSD_LEDGER_STATE_H
#define NSD_LEDGER_STATE_H

#include "ledger/descriptors.h"
#include "ledger/event.h"
#include "ledger/home.h"
#include "ledger/labels.h"
#include "ledger/switches.h"
#include "ledger/threads.h"
#include "ledger/visits.h"
#include <stdbool.h>
#include <stdint.h>

#define NSD_UNUSED_DEAD 8u

struct nsd_ledger {
    struct nsd_labels labels;
    struct nsd_threads threads;
    struct nsd_descriptors descriptors;
    struct nsd_switches switches;
    struct nsd_home home;
    struct nsd_visits visits;
    struct nsd_thread *leader;           /* NULL: the main thread has ended */
    struct nsd_label *before[NSD_KINDS]; /* held; nsd_change.before of the last event */
    nsd_kinds before_kinds;              /* kinds for which `before` is filled */
    nsd_kinds touched;                   /* kinds in which any thread ever changed its namespace */
    uint32_t collective[NSD_KINDS];      /* threads that made the call of an AllThreadsSyscall */
    /* Held; departures of threads that ended without having used the mnt namespace they made. */
    struct nsd_switch *unused_dead[NSD_UNUSED_DEAD];
    uint32_t unused_dead_next;
    int32_t pid; /* of the leader */
    bool begun;  /* ledger__begin was called */
};

/* What one event changed. Filled by ledger__apply, valid until the next event. */
struct nsd_change {
    struct nsd_thread *thread;  /* of the event; NULL if the event has none */
    struct nsd_switch *opened;  /* the departure that this event opened */
    struct nsd_switch *current; /* the thread's newest open departure after the event, or NULL */
    struct nsd_switch *closed;  /* the departure that came home, or that the thread's death ended */
    nsd_kinds changed;          /* kinds whose namespace is another one than before */
    nsd_kinds left;             /* of these: was at home, is away */
    nsd_kinds came_home;        /* of these: was away, is at home */
    nsd_kinds made_private;     /* NSD_PRIVATE_FS, NSD_PRIVATE_FILES: shared before this event */
    bool moved_process;         /* the only thread switched: a move of the process, no fault */
    bool collective;            /* one call of a syscall.AllThreadsSyscall */
    struct nsd_label **before;  /* by kind, for `changed`: where the thread was */
};

/* Live threads, in the order of their births. */
struct nsd_thread *ledger__first_thread(struct nsd_ledger *ledger);
struct nsd_thread *ledger__next_thread(struct nsd_thread *thread);
static inline struct nsd_thread *ledger__thread(struct nsd_ledger *ledger, int32_t tid) {
    return threads__find(&ledger->threads, tid);
}
/* Kinds in which the thread is not at home. */
static inline nsd_kinds ledger__away(const struct nsd_ledger *ledger,
                                     const struct nsd_thread *thread) {
    nsd_kinds away = 0;

    /* Asked several times for each event, so only kinds that ever changed are compared. */
    FOR_EACH_KIND(kind, ledger->touched) {
        if (home__is_away(&ledger->home, kind, thread->label[kind]))
            away = (nsd_kinds) (away | NSD_KIND_BIT(kind));
    }
    return (nsd_kinds) (away & ~thread->collective);
}
/* Where the process's threads belong. Not held; NULL: not known. */
struct nsd_label *ledger__home(const struct nsd_ledger *ledger, enum nsd_kind kind);
bool ledger__is_leader(const struct nsd_ledger *ledger, const struct nsd_thread *thread);
int32_t ledger__tid(const struct nsd_thread *thread);
/* Depth of nsdrift_thread_pin. */
int32_t ledger__pinned(const struct nsd_thread *thread);
/* Whether the ledger knows of one live thread, the leader. */
static inline bool ledger__is_single_threaded(const struct nsd_ledger *ledger) {
    /*
     * A leader that has ended stays in the thread group as a zombie (kernel/exit.c, release_task):
     * the process then still counts as several threads.
     */
    return threads__live(&ledger->threads) <= 1 && ledger->leader != NULL;
}
uint32_t ledger__threads_seen(const struct nsd_ledger *ledger);
uint32_t ledger__threads_live(const struct nsd_ledger *ledger);
/* Records that found no memory. */
uint64_t ledger__lost(const struct nsd_ledger *ledger);
/* Whether the thread's namespace of this kind has no known identity: worth a look into /proc. */
static inline bool ledger__unidentified(struct nsd_ledger *ledger, int32_t tid,
                                        enum nsd_kind kind) {
    const struct nsd_thread *thread = threads__find(&ledger->threads, tid);

    return thread != NULL && thread->label[kind] != NULL &&
           !label__is_identified(thread->label[kind]);
}

enum nsd_comparison {
    NSD_COMPARE_AGREES,
    NSD_COMPARE_LEARNT, /* the identity was not known and has been added */
    NSD_COMPARE_DIFFERS,
    NSD_COMPARE_UNKNOWN, /* no such thread in the ledger */
};
/* Compares what the kernel says of a thread's namespace with the ledger. */
enum nsd_comparison ledger__compare(struct nsd_ledger *ledger, int32_t tid, enum nsd_kind kind,
                                    const struct nsd_identity *identity);

#endif
