/*
 * Which threads' namespaces have identities in the ledger already, for a question that costs one
 * load before each switch. A small table that forgets: where it does not know, the ledger is asked
 * under the lock.
 */
#ifndef NSD_INTAKE_OBSERVED_H
#define NSD_INTAKE_OBSERVED_H

#include "ledger/ledger.h"
#include <stdbool.h>

/* The ledger has identities for these kinds of the thread, and they still hold. Any thread. */
bool observed__has(int32_t tid, nsd_kinds kinds);
/* Notes for which of these kinds the ledger has identities. Under the intake's lock. */
void observed__note(struct nsd_ledger *ledger, int32_t tid, nsd_kinds kinds);
/* The thread is new, or gone. Under the intake's lock. */
void observed__forget(int32_t tid);
/* At start and in a fork child. */
void observed__reset(void);

#endif
