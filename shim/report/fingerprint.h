/*
 * The name by which a finding is known again over runs, hosts and small edits. Called by compose.c;
 * pure.
 */
#ifndef NSD_REPORT_FINGERPRINT_H
#define NSD_REPORT_FINGERPRINT_H

#include "report/view.h"

/*
 * Of rule, program's base name and the functions of the primary stack and of the switch's stack
 * (NULL if it is the same). No addresses, no lines: a frame without a name counts as base name of
 * its module and offset in it.
 */
uint64_t fingerprint__of(const char *rule, const char *program, const struct nsd_view_stack *stack,
                         const struct nsd_view_stack *switch_stack);

#endif
