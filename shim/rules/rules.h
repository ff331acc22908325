/*
 * The rules room: each rule is one file that looks for one kind of mistake.
 *
 * In: an event that the ledger has applied, with what it changed (rules__on_event), and the moment
 * of a report (rules__on_report). Out: findings (finding.h), kept in struct nsd_findings. Findings
 * about one departure are one finding: the nearest to the cause comes first, the others follow as
 * its consequences (findings.c).
 *
 * Called by the intake and by the replay of recordings, by the owner of the ledger's lock; read by
 * the reports. A vfork child must not call it. A rule reads the ledger, writes nothing but findings
 * and the fields of struct nsd_switch that are the rules', makes no system call, prints nothing and
 * does not know how an event was seen.
 *
 * To add a rule, touch six files, two of them for the host with the mistake:
 *
 *     rules/NAME.c              the rule: its messages and remedies, a struct nsd_rule at the end
 *                               (rule.h); CMake finds the file by itself
 *     rules/finding.h           its row in NSD_RULE_TABLE, at its place in the order of causes; the
 *                               id, the names in text and JSON and the order come from the row
 *     man/libnsdrift.7          its section: when it fires, how severe it is, what to do
 *     tests/unit/rules_*_test.c what must fire and what must not, as stories (story.h)
 *     tests/programs/           a host with the mistake, and beside it NAME.expect, the report that
 *                               is expected of it (harness/expectations.py has the words for it)
 *
 * If no host in tests/programs does nearly the same without the mistake, add that host too, with a
 * NAME.expect that says `clean`. If the rule needs a fact that the ledger does not keep yet, add a
 * field to ledger/switches.h or ledger/threads.h first.
 *
 * README.md lists the rules for a first reader; a new one may do without a row there.
 */
#ifndef NSD_RULES_RULES_H
#define NSD_RULES_RULES_H

#include "rules/finding.h"

/* The findings of one process image. All zero is the empty list. */
struct nsd_findings {
    struct nsd_finding *first, *last; /* in the order in which they were made */
    uint32_t count;                   /* findings in the list; consequences are not in it */
    uint32_t consequences;            /* consequences of all findings together */
    uint32_t lost;                    /* findings without memory, or above the limits */
    uint32_t changes;                 /* grows when a finding is made, changed or withdrawn */
};

/* The reason for a report, from which a rule may conclude what is still to come. */
enum nsd_occasion {
    NSD_OCCASION_EXIT,   /* the image ends: exit in any form, or the last thread */
    NSD_OCCASION_EXEC,   /* exec by the thread of the EXEC event that was just applied */
    NSD_OCCASION_SIGNAL, /* the option `signal`, or nsdrift_report(): the program goes on */
};

/* Judges one event. Called right after ledger__apply() of it, with the change that it filled. */
void rules__on_event(struct nsd_ledger *ledger, struct nsd_findings *findings,
                     const struct nsd_event *event, const struct nsd_change *change);
/*
 * Judges what only a report can judge: the threads that are still away. `event` is the call that
 * occasions the report (NSD_CALL_EXIT, EXEC, REPORT ...) and has been applied. May be called
 * several times in an image, for signals and then for the exit: a finding that was made is not made
 * again, and one about a thread that has come home since is not taken back.
 */
void rules__on_report(struct nsd_ledger *ledger, struct nsd_findings *findings,
                      const struct nsd_event *event, enum nsd_occasion occasion);
/*
 * The list was left in the middle of a change, by a thread that does not come back: cuts it off
 * where it is longer than it can be, and sets `last` and the counts. Every pointer in it is valid,
 * because the heap keeps its memory.
 */
void findings__mend(struct nsd_findings *findings);
/* Frees every finding and drops the labels that it holds. Called before ledger__end(). */
void rules__reset(struct nsd_ledger *ledger, struct nsd_findings *findings);

#endif
