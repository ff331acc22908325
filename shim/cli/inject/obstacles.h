/*
 * What stands in the way of tracing a program that we start, looked for before it is started, so
 * that it gets a clear line instead of a failure half-way. Called by inject.c and follow.c.
 */
#ifndef NSD_CLI_INJECT_OBSTACLES_H
#define NSD_CLI_INJECT_OBSTACLES_H

#include "cli/inject/refusal.h"
#include <stdint.h>
#include <sys/types.h>

/* False, after the reason, where something does. */
bool obstacles__none(struct nsd_refusal *refusal);
/* The same for following what the program starts: asks for CAP_SYS_PTRACE as well. */
bool obstacles__none_to_follow(struct nsd_refusal *refusal);
/* Why PTRACE_SEIZE answered with this errno; always false. */
bool obstacles__explain_seize(struct nsd_refusal *refusal, int error);
/* A filter is in force in the program that is not in force in ourselves. */
bool obstacles__filters_of_its_own(pid_t pid);

/* The number behind a word at the start of a line of a file; 0 if there is none. */
uint64_t obstacles__number(const char *path, const char *word, int base);

#endif
