/*
 * Births and deaths of threads. Called by ledger.c for events of effect THREAD, and for the first
 * event of a thread whose birth was not seen. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_LIVES_H
#define NSD_LEDGER_LIVES_H

#include "ledger/state.h"

/* Puts a thread that was just added into the namespaces of home. */
void lives__place_at_home(struct nsd_ledger *ledger, struct nsd_thread *thread);
/* THREAD_BORN: registers the child with what it inherits. NULL without memory. */
struct nsd_thread *lives__born(struct nsd_ledger *ledger, const struct nsd_event *event);
/*
 * Registers a thread whose birth was not seen: in the namespaces that a THREAD_FOUND event has
 * identities of, for the other kinds and after any other event at home. NULL without memory.
 */
struct nsd_thread *lives__found(struct nsd_ledger *ledger, const struct nsd_event *event);
/* Applies every other event of effect THREAD. */
void lives__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                  const struct nsd_event *event, struct nsd_change *change);
/* The thread is dead: closes its departures as not restored and removes it. */
void lives__end(struct nsd_ledger *ledger, struct nsd_thread *thread);
/* Frees what rules could read until now: a dead thread, closed departures, labels. */
void lives__forget_change(struct nsd_ledger *ledger);

#endif
