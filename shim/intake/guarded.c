/*
 * The one intake of the image (guarded.h).
 */
#include "intake/guarded.h"

struct nsd_intake intake;
char nsd_report_stack[NSD_REPORT_STACKS][NSD_REPORT_STACK] __attribute__((aligned(64)));

uint64_t guarded__lost(void) {
    return atomic_load_explicit(&intake.lost, memory_order_relaxed) + intake.findings.lost +
           frames__lost() + ledger__lost(&intake.ledger);
}
