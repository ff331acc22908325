/*
 * Who stands where: the ledger's records as one struct, and the questions that may be asked of it.
 * Asked by those who keep the records, by the rules, the reports and probes/submit.c, under the
 * ledger's lock.
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
    struct nsd_thread *leader;           /* NULL: it has ended */
    struct nsd_label *before[NSD_KINDS]; /* held; of the last event, see nsd_change */
    nsd_kinds before_kinds;              /* of these there is one */
    nsd_kinds touched;                   /* kinds in which a thread ever stood apart from home */
    uint32_t collective[NSD_KINDS];      /* threads that have made an AllThreadsSyscall's part */
    /* Switches of threads that ended without having used their fresh mnt namespace; held. */
    struct nsd_switch *unused_dead[NSD_UNUSED_DEAD];
    uint32_t unused_dead_next;
    int32_t pid;
    bool begun;
};

/* What one event changed, for the rules. Valid until the next event. */
struct nsd_change {
    struct nsd_thread *thread;  /* of the event; NULL if the event has none */
    struct nsd_switch *opened;  /* the switch that this event began */
    struct nsd_switch *current; /* the thread's open switch after the event, NULL at home */
    struct nsd_switch *closed;  /* the switch that this event brought home, or that a death ended */
    nsd_kinds changed;          /* kinds in which the thread now stands elsewhere than before */
    nsd_kinds left;             /* of these: it was home and is away */
    nsd_kinds came_home;        /* of these: it was away and is home */
    nsd_kinds made_private;     /* NSD_PRIVATE_FS, NSD_PRIVATE_FILES: shared until now */
    bool moved_process;         /* the only thread switched: a move, no fault */
    bool collective;            /* a part of syscall.AllThreadsSyscall */
    struct nsd_label **before;  /* by kind: where the thread stood, for `changed` */
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

    /* Asked again and again for each event: of most kinds nothing ever changed. */
    FOR_EACH_KIND(kind, ledger->touched) {
        if (home__is_away(&ledger->home, kind, thread->label[kind]))
            away = (nsd_kinds) (away | NSD_KIND_BIT(kind));
    }
    return (nsd_kinds) (away & ~thread->collective);
}
struct nsd_label *ledger__home(const struct nsd_ledger *ledger, enum nsd_kind kind);
bool ledger__is_leader(const struct nsd_ledger *ledger, const struct nsd_thread *thread);
int32_t ledger__tid(const struct nsd_thread *thread);
/* Depth of nsdrift_thread_pin. */
int32_t ledger__pinned(const struct nsd_thread *thread);
/* One live thread by our count, and it is the leader. */
static inline bool ledger__is_single_threaded(const struct nsd_ledger *ledger) {
    /* A leader that has ended stays in the thread group to its end (kernel/exit.c, release_task).
     */
    return threads__live(&ledger->threads) <= 1 && ledger->leader != NULL;
}
uint32_t ledger__threads_seen(const struct nsd_ledger *ledger);
uint32_t ledger__threads_live(const struct nsd_ledger *ledger);
/* What found no room in the ledger. */
uint64_t ledger__lost(const struct nsd_ledger *ledger);
/* True if it is not known which namespace of this kind the thread is in: worth a look. */
static inline bool ledger__unidentified(struct nsd_ledger *ledger, int32_t tid,
                                        enum nsd_kind kind) {
    const struct nsd_thread *thread = threads__find(&ledger->threads, tid);

    return thread != NULL && thread->label[kind] != NULL &&
           !label__is_identified(thread->label[kind]);
}

enum nsd_comparison {
    NSD_COMPARE_AGREES,
    NSD_COMPARE_LEARNT, /* the ledger did not know the identity, and does now */
    NSD_COMPARE_DIFFERS,
    NSD_COMPARE_UNKNOWN, /* no such thread in the ledger */
};
/* Holds what the kernel says of a thread against the records. */
enum nsd_comparison ledger__compare(struct nsd_ledger *ledger, int32_t tid, enum nsd_kind kind,
                                    const struct nsd_identity *identity);

#endif
