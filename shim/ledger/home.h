/*
 * Home: for each kind, the namespace in which the threads of this process belong. A thread that is
 * elsewhere is "away", or switched.
 *
 *     one thread             every switch moves the whole process: home moves with it
 *     one thread becomes two home is where the first thread is then
 *     two threads or more    a switch moves its thread away; home stays. Exception: if the leader
 *                            goes back to a namespace that the process left while it had one
 *                            thread, that one is home again (a program that visited a namespace,
 *                            and a library created a thread meanwhile)
 *     AllThreadsSyscall      home moves when every thread has made the call
 *
 * Called by the ledger alone, under its lock.
 */
#ifndef NSD_LEDGER_HOME_H
#define NSD_LEDGER_HOME_H

#include "ledger/labels.h"

#define NSD_FORMER_MOST 4

struct nsd_home {
    struct nsd_label *label[NSD_KINDS]; /* held; since the last move of the whole process */
    /* Held; the namespaces that single-threaded moves left and did not go back to, oldest first. */
    struct nsd_label *former[NSD_KINDS][NSD_FORMER_MOST];
    uint8_t former_count[NSD_KINDS];
    /* Held; home for the rules: `label`, or the one of `former` that the leader last entered. */
    struct nsd_label *current[NSD_KINDS];
    bool is_set; /* the kernel counts several threads, though the ledger knows of one */
};

/* The image begins with one thread, in these namespaces. */
void home__begin(struct nsd_home *home, struct nsd_labels *labels, struct nsd_label **label);
/*
 * The only thread is in `to`: after a switch, or when the second thread is about to come. The old
 * home becomes a former one. If `to` is a former home, the process has gone back, and the former
 * homes from there on are forgotten.
 */
void home__move(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                struct nsd_label *to);
/* The leader has entered `here`; that is home if it is `label` or a former home. */
void home__leader_entered(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                          struct nsd_label *here);
/* All threads have moved to `to`: there are no former homes any more. */
void home__move_all(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                    struct nsd_label *to);
/*
 * Whether a thread in `label` is away; false where either is unknown. Inline, with the usual answer
 * first: asked for each changed kind at each event.
 */
static inline bool home__is_away(const struct nsd_home *home, enum nsd_kind kind,
                                 const struct nsd_label *label) {
    const struct nsd_label *current = home->current[kind];

    return label != current && label != NULL && current != NULL && !label__same(label, current);
}

#endif
