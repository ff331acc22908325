/*
 * What a setns or unshare does to the records: labels, home, switches. The ledger's own, called by
 * ledger.c for events of that effect.
 */
#ifndef NSD_LEDGER_SWITCHING_H
#define NSD_LEDGER_SWITCHING_H

#include "ledger/state.h"

void switching__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, struct nsd_change *change);
/* All threads that live have made their part of an AllThreadsSyscall: home moves. */
void switching__complete_collective(struct nsd_ledger *ledger);
/* The process has one thread, away or not: from now on it stands at home, and moves. */
void switching__settle(struct nsd_ledger *ledger, struct nsd_thread *thread);

#endif
