/*
 * What `nsdrift scan` knows of one process, and its two ways of saying so. Filled by scan.c,
 * printed by scan_text.c and scan_json.c.
 */
#ifndef NSD_CLI_SCAN_PRINT_H
#define NSD_CLI_SCAN_PRINT_H

#include "cli/scan/since.h"
#include "cli/scan/tasks.h"
#include "cli/scan/wedge.h"
#include <stdio.h>

struct nsd_scan_picture {
    const struct nsd_tasks *tasks;
    uint64_t reference[NSD_KINDS];
    nsd_kinds *difference; /* by thread; owned by scan.c */
    size_t differing, unread;
    nsd_kinds odd_leader;
    struct nsd_wedge wedge; /* asked where the leader is the odd one */
    bool has_since;         /* a recording was given, and has something of this process */
    struct nsd_since since;
};

struct nsd_scan_sum {
    size_t processes, threads, differing; /* that were read; of these threads, who differ */
    size_t moved;                         /* processes that are not where they started */
    size_t unread_processes, unread_threads;
    pid_t refused[6];
    int error; /* of the last process that could not be read */
};

void scan_text__print(FILE *out, bool colour, const struct nsd_scan_picture *picture);
void scan_text__print_sum(FILE *out, const struct nsd_scan_sum *sum);
void scan_json__print(FILE *out, const struct nsd_scan_picture *picture);
void scan_json__print_refusal(FILE *out, const struct nsd_tasks *tasks, int error);
void scan_json__print_sum(FILE *out, const struct nsd_scan_sum *sum);

#endif
