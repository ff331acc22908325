/*
 * Namespace-dependent calls (a mount depends on mnt, a socket on net) of one thread that concern a
 * departure of another. Three pairs are kept, each as a witness in the departure, until a rule
 * asks:
 *
 *     sibling    the leader is away, and a thread at home makes a call that depends on that kind
 *     elsewhere  a thread made a mnt namespace and never uses it; another thread, at home, mounts
 *     elsewhere  a thread is away; another one, at home, makes the setns that should bring it back
 *
 * Called by ledger.c after every event, and by switching.c and lives.c. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_DEPENDENCE_H
#define NSD_LEDGER_DEPENDENCE_H

#include "ledger/state.h"

/* The kinds of namespace that the call of this event depends on. */
nsd_kinds dependence__of(const struct nsd_event *event);
/* Notes an event for the first two pairs. */
void dependence__note(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, const struct nsd_change *change);
/*
 * The third pair: a setns that changed nothing, on a thread at home, by a descriptor that another
 * thread opened.
 */
void dependence__note_idle_restore(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                   const struct nsd_event *event,
                                   const struct nsd_descriptor *descriptor);
/* A thread ends without having used its mnt namespace: keeps its departure for a later mount. */
void dependence__keep_unused(struct nsd_ledger *ledger, struct nsd_switch *departure);

#endif
