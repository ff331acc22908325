/*
 * Fills in the places of a rule's words (finding.h, nsd_words) with the names of one finding.
 * Called by compose.c. No libc, no system call.
 */
#ifndef NSD_REPORT_WORDING_H
#define NSD_REPORT_WORDING_H

#include "base/text.h"
#include "report/view.h"
#include "rules/finding.h"

struct nsd_wording {
    const struct nsd_finding *finding;
    int32_t leader;                     /* tid of the main thread */
    const struct nsd_view_stack *stack; /* the finding's own */
    const struct nsd_view_stack
        *switch_stack; /* the same as `stack` if the switch was made there */
    /* Stacks among which the short name of a file must be unambiguous. */
    const struct nsd_view_stack *const *stacks;
    unsigned stack_count;
};

void wording__expand(struct nsd_text *text, nsd_words words, const struct nsd_wording *about);

#endif
