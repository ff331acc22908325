/*
 * The table that `nsdrift repeat` ends with.
 */
#ifndef NSD_CLI_REPEAT_TABLE_H
#define NSD_CLI_REPEAT_TABLE_H

#include "cli/repeat/tally.h"

/* Different reasons why a run was not judged; further ones are counted in `unseen` alone. */
#define NSD_REASONS 4u

struct nsd_outcome {
    const char *program;
    uint64_t wanted;
    bool by_check;
    bool interrupted;
    uint64_t unseen; /* runs that were not watched, or only partly */
    struct {
        char why[160];
        uint64_t runs; /* 0: no such reason */
    } reason[NSD_REASONS];
    uint64_t late;         /* runs that were killed when their time was up */
    uint64_t first_failed; /* its number, 0: none */
    char said[2048];       /* the end of its output */
};

/* Counts a run that was not judged, or not all of it. */
void outcome__unseen(struct nsd_outcome *outcome, const char *why);
/* Prints the table on stdout; ranks the tally. */
void repeat_table__print(const struct nsd_outcome *outcome, struct nsd_tally *tally);

#endif
