/*
 * Home: the namespaces that a thread of this process belongs in, kind by kind. Set each time that
 * the process gets its second thread; a single thread's switch moves it. Called by the ledger
 * alone, under its lock.
 */
#ifndef NSD_LEDGER_HOME_H
#define NSD_LEDGER_HOME_H

#include "ledger/labels.h"

#define NSD_FORMER_MOST 4

struct nsd_home {
    struct nsd_label *label[NSD_KINDS]; /* held */
    /*
     * Where the process was before it moved as a single thread, oldest first, less what it went
     * back to: the leader may stand there again (it moved for a visit, and a library made a
     * thread meanwhile), and then that is home.
     */
    struct nsd_label *former[NSD_KINDS][NSD_FORMER_MOST]; /* held */
    uint8_t former_count[NSD_KINDS];
    /* Of all these the one in which the leader last stood: home as a rule asks for it. */
    struct nsd_label *current[NSD_KINDS]; /* held */
    bool is_set; /* by the kernel's count, though ours has but one thread */
};

/* The image begins: one thread, in these. */
void home__begin(struct nsd_home *home, struct nsd_labels *labels, struct nsd_label **label);
/*
 * The process stands here, having one thread: it moved, or has just left that state. What was home
 * so far the leader may go back to; if here is such a place, it has gone back.
 */
void home__move(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                struct nsd_label *to);
/* The leader has come to stand here. */
void home__leader_entered(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                          struct nsd_label *here);
/* All threads have moved here at once. */
void home__move_all(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                    struct nsd_label *to);
/* In the header, with the usual answer first: asked ten times for each event of a thread. */
static inline bool home__is_away(const struct nsd_home *home, enum nsd_kind kind,
                                 const struct nsd_label *label) {
    const struct nsd_label *current = home->current[kind];

    return label != current && label != NULL && current != NULL && !label__same(label, current);
}

#endif
