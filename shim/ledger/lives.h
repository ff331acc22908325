/*
 * Births and deaths of threads in the ledger. Called by ledger.c for events of effect THREAD, and
 * for a thread that makes its first event unannounced. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_LIVES_H
#define NSD_LEDGER_LIVES_H

#include "ledger/state.h"

/* A thread that was just added enters the namespaces of home. */
void lives__place_at_home(struct nsd_ledger *ledger, struct nsd_thread *thread);
/* THREAD_BORN: the child, with what its creator had when it called; NULL without memory. */
struct nsd_thread *lives__born(struct nsd_ledger *ledger, const struct nsd_event *event);
/* A thread that no probe saw being born, with the identities of this event; NULL without memory. */
struct nsd_thread *lives__found(struct nsd_ledger *ledger, const struct nsd_event *event);
/* The other events of a thread's life. */
void lives__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                  const struct nsd_event *event, struct nsd_change *change);
/* The thread is gone: its switches close where they are. */
void lives__end(struct nsd_ledger *ledger, struct nsd_thread *thread);
/* Gives back what was kept for the rules to look at until the next event. */
void lives__forget_change(struct nsd_ledger *ledger);

#endif
