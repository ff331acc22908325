/*
 * The ledger: who is in which namespace, since when, by which call. A state machine over events:
 * it makes no system call and follows no pointer of the host (but through the one reader that it is
 * given), so that it gives the same answers in the host and over a recording. Called under the
 * ledger's lock by probes/submit.c and by the rules; never from a vfork child.
 */
#ifndef NSD_LEDGER_LEDGER_H
#define NSD_LEDGER_LEDGER_H

#include "ledger/state.h"

/*
 * Begins an image. The memory that an earlier one took from the arena is forgotten, not given back
 * (in a fork copy it may be in any state): see ledger__end. The struct is all zero at its first
 * use.
 */
void ledger__begin(struct nsd_ledger *ledger, int32_t pid, int32_t tid, enum nsd_runtime runtime);
/* Gives everything back to the arena. */
void ledger__end(struct nsd_ledger *ledger);
/* How visits look at other threads' stacks; without it (NULL) they know less. */
void ledger__set_reader(struct nsd_ledger *ledger, nsd_read_word read_word, void *context);
void ledger__apply(struct nsd_ledger *ledger, const struct nsd_event *event,
                   struct nsd_change *change);

#endif
