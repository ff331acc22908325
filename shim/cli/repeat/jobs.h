/*
 * The repeat room: counts what many runs of one program show. A program comes in; a table goes out.
 * jobs.c starts the runs and reads their recordings (read/folder.h), orders.c turns findings and
 * events into signs, tally.c counts these, statistics.c tells chance from a pattern, table.c
 * prints.
 * Called by `nsdrift repeat` alone. This file: several watched runs at a time, each with a folder,
 * a process group and an output of its own, and after each the user's check. One set of jobs a
 * process: its signals are taken over meanwhile.
 */
#ifndef NSD_CLI_REPEAT_JOBS_H
#define NSD_CLI_REPEAT_JOBS_H

#include "cli/read/gaps.h"
#include "cli/watch/program.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What all runs have in common. */
struct nsd_job_plan {
    const struct nsd_program *program;
    char **arguments;
    const char *library;
    const char *check; /* shell command, NULL: the program's status decides */
    bool follow_static, strict;
    double patience; /* seconds after which a run is killed and has failed; 0: none */
};

struct nsd_job {
    uint64_t number; /* of the run, from 1; 0: this job is free */
    pid_t program;
    pid_t pid; /* of the program, then of the check; 0: it has ended */
    bool checking;
    bool late;   /* it was killed because its time was up */
    int error;   /* errno of a start that failed */
    int status;  /* the program's, as waitpid gives it */
    int verdict; /* the check's, as waitpid gives it */
    double began;
    FILE *output;  /* of program and check; unlinked */
    int start_end; /* the read end of the pipe that tells of a failed exec; -1: none */
    struct nsd_collection collection;
};

/* Seconds on the monotonic clock. */
double jobs__now(void);

void jobs__take_signals(void);
void jobs__give_signals_back(void);
/* How often the user has asked to stop. */
unsigned jobs__interrupts(void);

/* Starts run `number`. False, after a line on stderr, if it cannot be started. */
bool jobs__start(const struct nsd_job_plan *plan, struct nsd_job *job, uint64_t number);
/* Waits until something ends, a signal comes, or so many seconds have passed. */
void jobs__wait(double seconds);
/* True once the run and its check are over. Its recordings are in the collection then. */
bool jobs__over(const struct nsd_job_plan *plan, struct nsd_job *job);
bool jobs__passed(const struct nsd_job_plan *plan, const struct nsd_job *job);
/* Why not all of the run was judged (read/gaps.h); NULL if it was. The job owns the string. */
const char *jobs__unjudged(const struct nsd_job_plan *plan, const struct nsd_job *job);
/* Sends a signal to the run's whole process group. */
void jobs__signal(const struct nsd_job *job, int signal);
/* Removes what the run has left. */
void jobs__end(struct nsd_job *job);

#endif
