/*
 * Where a setns or unshare leads: for each kind that it changes, the label of the namespace. Called
 * by switching.c, under the ledger's lock. It adds to labels and descriptors what the event tells
 * of them, and moves no thread.
 */
#ifndef NSD_LEDGER_TARGETS_H
#define NSD_LEDGER_TARGETS_H

#include "ledger/state.h"

struct nsd_targets {
    struct nsd_label *label[NSD_KINDS]; /* held, for the caller to drop; filled for `kinds` alone */
    nsd_kinds kinds;
    const struct nsd_descriptor *descriptor; /* setns: its descriptor; NULL: not known */
};

/* The targets of a call that succeeded. */
void targets__find(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                   const struct nsd_event *event, struct nsd_targets *targets);
/*
 * The kinds of the departure that a failed setns was to bring home; 0 if it led elsewhere. Where
 * the descriptor is not known, EBADF and EINVAL are taken for a way home that was closed too early,
 * or whose number has been used again.
 */
nsd_kinds targets__wanted_home(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                               const struct nsd_switch *departure, const struct nsd_event *event);

#endif
