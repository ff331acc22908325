/*
 * The fingerprint of a finding: a hash that is the same over runs, hosts and small edits. Called by
 * compose.c. Pure.
 */
#ifndef NSD_REPORT_FINGERPRINT_H
#define NSD_REPORT_FINGERPRINT_H

#include "report/view.h"

/*
 * Hashes the rule, the program's base name, and the functions of the primary stack and of the
 * switch's stack (NULL if they are the same). Addresses and lines are left out: a frame without a
 * name counts as its module's base name and its offset there.
 */
uint64_t fingerprint__of(const char *rule, const char *program, const struct nsd_view_stack *stack,
                         const struct nsd_view_stack *switch_stack);

#endif
