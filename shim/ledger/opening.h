/*
 * What opening, copying and closing descriptors under /proc means for the ledger: which namespace a
 * descriptor leads to, and whose it was. Called by ledger.c for events of effect DESCRIPTOR. Under
 * the ledger's lock.
 */
#ifndef NSD_LEDGER_OPENING_H
#define NSD_LEDGER_OPENING_H

#include "ledger/state.h"

void opening__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                    const struct nsd_event *event);

#endif
