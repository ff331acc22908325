/*
 * Calls that depend on namespaces, as other threads' switches see them: what is kept of them until
 * a rule asks. The ledger's own, called by ledger.c after every event.
 */
#ifndef NSD_LEDGER_DEPENDENCE_H
#define NSD_LEDGER_DEPENDENCE_H

#include "ledger/state.h"

/* Kinds of namespace that the call of this event depends on. */
nsd_kinds dependence__of(const struct nsd_event *event);
void dependence__note(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, const struct nsd_change *change);
/* A setns that changed nothing, at home, by a descriptor that another thread opened. */
void dependence__note_idle_restore(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                   const struct nsd_event *event,
                                   const struct nsd_descriptor *descriptor);
/* A thread ends: what it never used is remembered a little longer. */
void dependence__keep_unused(struct nsd_ledger *ledger, struct nsd_switch *departure);

#endif
