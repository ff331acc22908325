/*
 * How far a long command is: a bar on a terminal, a line now and then elsewhere, on stderr. Called
 * by `nsdrift repeat`.
 */
#ifndef NSD_CLI_REPEAT_PROGRESS_H
#define NSD_CLI_REPEAT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct nsd_progress {
    bool terminal, shown;
    double began, drawn; /* jobs__now() */
    uint64_t wanted, next_line;
};

void progress__begin(struct nsd_progress *progress, uint64_t wanted);
void progress__show(struct nsd_progress *progress, uint64_t done, uint64_t failed,
                    uint64_t findings);
/* Takes the bar away. */
void progress__end(struct nsd_progress *progress);

#endif
