/*
 * The ledger: who is in which namespace, since when, by which call. A state machine over events:
 * it makes no system call and follows no pointer of the host, so that it gives the same answers in
 * the host and over a recording. Called under the ledger's lock by probes/submit.c and by the
 * rules; never from a vfork child.
 */
#ifndef NSD_LEDGER_LEDGER_H
#define NSD_LEDGER_LEDGER_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

struct nsd_label;
struct nsd_thread;
struct nsd_switch;
struct nsd_ledger;

/* What one event changed, for the rules. */
struct nsd_change {
    struct nsd_thread *thread;   /* of the event; NULL if the event has none */
    struct nsd_switch *opened;   /* the switch that this event began */
    struct nsd_switch *current;  /* the thread's open switch after the event, NULL at home */
    struct nsd_switch *closed;   /* the switch that this event brought home, or that a death ended */
    nsd_kinds changed;           /* kinds in which the thread now stands elsewhere than before */
    nsd_kinds left;              /* of these: it was home and is away */
    nsd_kinds came_home;         /* of these: it was away and is home */
    bool moved_process;          /* the only thread switched: a move, no fault */
};

void ledger__begin(struct nsd_ledger *ledger, int32_t pid, int32_t tid, enum nsd_runtime runtime);
void ledger__apply(struct nsd_ledger *ledger, const struct nsd_event *event,
                   struct nsd_change *change);

#endif
