/*
 * The namespaces that a running process started in, by its recording. All its threads may be in the
 * same namespaces and yet not in those where they started. Called by `nsdrift scan --since`.
 */
#ifndef NSD_CLI_SCAN_SINCE_H
#define NSD_CLI_SCAN_SINCE_H

#include "ledger/kinds.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nsd_since {
    nsd_kinds moved;             /* kinds in which the process is not where it started */
    uint64_t started[NSD_KINDS]; /* inodes; 0: not known */
    char by[NSD_KINDS][160];     /* the last switch of that kind: call and place */
    bool gap;                    /* events were overwritten: the answer may be incomplete */
};

/*
 * Asked once, before any process: false, with the reason in *why, if the path is neither a folder
 * nor a recording.
 */
bool since__can_be_read(const char *path, const char **why);
/*
 * `current`: inodes of the leader's namespaces now. `path`: a recording, or a folder of recordings.
 * False, with the reason in *why, if this process is not in them.
 */
bool since__read(struct nsd_since *since, const char *path, pid_t pid, const uint64_t *current,
                 const char **why);

#endif
