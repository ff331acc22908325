/*
 * What a setns or unshare does to the ledger: labels, home, departures. Called by ledger.c for
 * events of effect SWITCH, by lives.c when the number of threads goes from one to two. Under the
 * ledger's lock; outside of the ledger nobody calls it.
 */
#ifndef NSD_LEDGER_SWITCHING_H
#define NSD_LEDGER_SWITCHING_H

#include "ledger/state.h"

void switching__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, struct nsd_change *change);
/* If every live thread has made the call of an AllThreadsSyscall, home moves to where they are. */
void switching__complete_collective(struct nsd_ledger *ledger);
/*
 * The process has this one thread: home becomes where the thread is, and its open departures become
 * moves of the whole process.
 */
void switching__settle(struct nsd_ledger *ledger, struct nsd_thread *thread);

#endif
