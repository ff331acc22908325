/*
 * Shows how far a long command is, on stderr: a bar on a terminal, else a line now and then. Called
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
/* Removes the bar. */
void progress__end(struct nsd_progress *progress);

#endif
