/*
 * The rules as one table, and the two moments at which they look: after each event, and when a
 * report is made. They read the ledger and the event and keep findings; they know no probe, make
 * no system call and print nothing. Called under the ledger's lock.
 */
#ifndef NSD_RULES_RULES_H
#define NSD_RULES_RULES_H

#include "rules/finding.h"

/* Findings of one process image, and what the rules remember between events. */
struct nsd_findings {
    struct nsd_finding *first, *last;
    uint32_t count;        /* of them, without their consequences */
    uint32_t consequences; /* of all of them */
    uint32_t lost;         /* found, but without room to keep */
    uint32_t changes;      /* grows whenever one of them is made or changes */
};

/* Why a report is made: what a rule may conclude from it. */
enum nsd_occasion {
    NSD_OCCASION_EXIT,   /* the image ends: exit in any form, or the last thread */
    NSD_OCCASION_EXEC,   /* by the thread of the EXEC event just applied */
    NSD_OCCASION_SIGNAL, /* `signal=`, nsdrift_report: the program runs on */
};

/* After ledger__apply of the same event, with what it answered. */
void rules__on_event(struct nsd_ledger *ledger, struct nsd_findings *findings,
                     const struct nsd_event *event, const struct nsd_change *change);
/*
 * Judges what can only be judged at a report: who is still away. `event` is the call that occasions
 * it (NSD_CALL_EXIT, EXEC, REPORT ...), already applied. May be called several times in an image
 * (signals, then exit): what is the same finding again is not made twice, and what was judged "away"
 * at a signal's report and is home later stays printed but is made no second time.
 */
void rules__on_report(struct nsd_ledger *ledger, struct nsd_findings *findings,
                      const struct nsd_event *event, enum nsd_occasion occasion);
/* Gives every finding back; what it holds of the ledger, too. */
void rules__reset(struct nsd_ledger *ledger, struct nsd_findings *findings);

#endif
