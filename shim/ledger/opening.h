/*
 * open, dup and close of descriptors of namespaces: which namespace a new descriptor leads to, and
 * which thread opened it. Called by ledger.c for events of effect DESCRIPTOR, which fill the table
 * of descriptors.h. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_OPENING_H
#define NSD_LEDGER_OPENING_H

#include "ledger/state.h"

void opening__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                    const struct nsd_event *event);

#endif
