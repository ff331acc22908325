/*
 * The scan room: looks at running processes from outside. Pids come in; threads that are in other
 * namespaces than their leader go out, as text or JSON. tasks.c reads /proc, wedge.c asks a Go
 * runtime, since.c compares with a recording, text.c and json.c print.
 * Called by `nsdrift scan` alone. Must not stop, trace or change the processes. This file: what is
 * known of one process, and the two ways to print it.
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
    nsd_kinds *difference; /* by thread; owned by commands/scan.c */
    size_t differing, unread;
    nsd_kinds odd_leader;
    struct nsd_wedge wedge; /* looked up if the leader differs from the others */
    bool has_since;         /* a recording was given and has this process in it */
    struct nsd_since since;
};

struct nsd_scan_sum {
    size_t processes, threads,
        differing; /* processes and threads that were read; threads that differ */
    size_t moved;  /* processes that are not in the namespaces they started in */
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
