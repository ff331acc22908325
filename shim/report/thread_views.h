/*
 * The table of threads at verbosity=2: who lives, born of whom, where it is. Called by report.c
 * under the ledger's lock.
 */
#ifndef NSD_REPORT_THREAD_VIEWS_H
#define NSD_REPORT_THREAD_VIEWS_H

#include "report/compose.h"

void compose__thread(const struct nsd_compose *compose, struct nsd_ledger *ledger,
                     struct nsd_thread *thread, struct nsd_view_thread *view);

#endif
