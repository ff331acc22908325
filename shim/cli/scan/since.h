/*
 * Where a process that still runs stood when it started, by its recording: for threads that are all
 * alike, and yet not where they began. Called by `nsdrift scan --since`.
 */
#ifndef NSD_CLI_SCAN_SINCE_H
#define NSD_CLI_SCAN_SINCE_H

#include "ledger/kinds.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nsd_since {
    nsd_kinds moved;             /* kinds in which the process is not where it started */
    uint64_t started[NSD_KINDS]; /* inodes, 0: nobody looked then */
    char by[NSD_KINDS][160];     /* the last switch there: call and place */
    bool gap;                    /* events were overwritten: what is told may be incomplete */
};

/*
 * `current`: inodes where its leader is now. `path`: a recording, or a folder of them. False, with
 * the reason in *why, if nothing of this very process is there.
 */
bool since__read(struct nsd_since *since, const char *path, pid_t pid, const uint64_t *current,
                 const char **why);

#endif
