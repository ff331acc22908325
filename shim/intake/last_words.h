/*
 * The report of an image: at its end, before an exec, and when a signal or the program asks. The
 * event that causes it is taken in first, then the rules judge and the report is written. Called
 * from hooks of exec, exit, exit_group and from a signal handler; works on a stack of its own.
 */
#ifndef NSD_INTAKE_LAST_WORDS_H
#define NSD_INTAKE_LAST_WORDS_H

#include "ledger/event.h"
#include "rules/rules.h"

void last_words__report(const struct nsd_event *event, enum nsd_occasion occasion);
/* The exec of the last report (NSD_OCCASION_EXEC) came back with this negative errno. */
void last_words__exec_failed(int32_t tid, int64_t error);
/* At start, and in a fork child: no last report has been made. */
void last_words__reset(void);

#endif
