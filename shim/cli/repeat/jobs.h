/*
 * Several watched runs of one program at a time, each with a folder, a process group and an output
 * of its own, and after each the user's check. Called by `nsdrift repeat`. One set of jobs a
 * process: signals are taken while it works.
 */
#ifndef NSD_CLI_REPEAT_JOBS_H
#define NSD_CLI_REPEAT_JOBS_H

#include "cli/read/collect.h"
#include "cli/watch/program.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What is the same for all of them. */
struct nsd_job_plan {
    const struct nsd_program *program;
    char **arguments;
    const char *library;
    const char *check; /* shell command, NULL: the program's status decides */
    double patience;   /* seconds after which a run is killed and has failed; 0: none */
};

struct nsd_job {
    uint64_t number; /* of the run, from 1; 0: free */
    pid_t program;
    pid_t pid; /* of the program, then of the check; 0: has ended */
    bool checking;
    bool late;   /* killed because its time was up */
    int error;   /* errno of a start that failed */
    int status;  /* the program's, as waitpid gives it */
    int verdict; /* the check's, as waitpid gives it */
    double began;
    FILE *output;  /* of program and check; unlinked */
    int start_end; /* the read end of the pipe by which a failed exec is told; -1 */
    struct nsd_collection collection;
};

/* Seconds on a clock that nobody sets. */
double jobs__now(void);

void jobs__take_signals(void);
void jobs__give_signals_back(void);
/* How often the user has asked for the end. */
unsigned jobs__interrupts(void);

/* Starts run `number`. False, after a line on stderr, if it cannot be. */
bool jobs__start(const struct nsd_job_plan *plan, struct nsd_job *job, uint64_t number);
/* Waits until something ends, a signal comes, or so many seconds have passed. */
void jobs__wait(double seconds);
/* True when the run is over, check included; what was recorded is then in the collection. */
bool jobs__over(const struct nsd_job_plan *plan, struct nsd_job *job);
bool jobs__passed(const struct nsd_job_plan *plan, const struct nsd_job *job);
/* The program itself loaded the library, nothing was lost, no Go in the run was left unwatched. */
bool jobs__was_watched(const struct nsd_job *job);
/* To the run's whole process group. */
void jobs__signal(const struct nsd_job *job, int signal);
/* Removes what the run left. */
void jobs__end(struct nsd_job *job);

#endif
