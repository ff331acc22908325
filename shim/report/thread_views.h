/*
 * Views of threads, for verbosity=2: who lives, which thread made it, where it is. Called by
 * report.c under the ledger's lock, and by the command over a replayed recording.
 */
#ifndef NSD_REPORT_THREAD_VIEWS_H
#define NSD_REPORT_THREAD_VIEWS_H

#include "report/compose.h"

void compose__thread(const struct nsd_compose *compose, struct nsd_ledger *ledger,
                     struct nsd_thread *thread, struct nsd_view_thread *view);

#endif
