/*
 * The report of an image: at its end, before an exec, and when a signal or the program asks. The
 * event that causes it is taken in first, then the rules judge and the report is written. Called
 * from hooks of exec, exit, exit_group and from a signal handler; works on a stack of its own.
 */
#ifndef NSD_INTAKE_LAST_WORDS_H
#define NSD_INTAKE_LAST_WORDS_H

#include "ledger/event.h"
#include "rules/rules.h"

/* Takes `event` in, has the rules judge what only a report can judge, and writes the report. */
void last_words__report(const struct nsd_event *event, enum nsd_occasion occasion);
/*
 * Called when the exec that the last report was made for (NSD_OCCASION_EXEC) has failed; `error` is
 * its negative errno.
 */
void last_words__exec_failed(int32_t tid, int64_t error);

#endif
