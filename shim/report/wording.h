/*
 * Fills the places in a rule's words (finding.h, nsd_words) with the names of this finding. Called
 * by compose.c; no libc, makes no call.
 */
#ifndef NSD_REPORT_WORDING_H
#define NSD_REPORT_WORDING_H

#include "base/text.h"
#include "report/view.h"
#include "rules/finding.h"

struct nsd_wording {
    const struct nsd_finding *finding;
    int32_t leader;                            /* tid of the main thread */
    const struct nsd_view_stack *stack;        /* primary */
    const struct nsd_view_stack *switch_stack; /* the primary where it is the same */
    /* Stacks among which a file's short name must be unambiguous. */
    const struct nsd_view_stack *const *stacks;
    unsigned stack_count;
};

void wording__expand(struct nsd_text *text, nsd_words words, const struct nsd_wording *about);

#endif
