/*
 * nsdrift run --follow-static: a process of ours that traces the program and whatever comes from
 * it, for their forks and execs alone, and puts the library into each static Go program at its
 * exec. Called by run.c; what could not be watched is noted in the run's index.
 */
#ifndef NSD_CLI_INJECT_FOLLOW_H
#define NSD_CLI_INJECT_FOLLOW_H

#include "cli/watch/child.h"
#include "cli/inject/inject.h"
#include "cli/watch/program.h"
#include <stdbool.h>

/* In memory that both processes have. */
struct nsd_follow_news;

struct nsd_follower {
    struct nsd_injector injector;
    struct nsd_refusal refusal;
    const char *folder;
    bool best_effort; /* the program is let go where it cannot be watched */
    pid_t pid;
    struct nsd_follow_news *news;
};

/* False after the reason, with nothing started. The strings must stay. To be ended in any case. */
bool follow__begin(struct nsd_follower *follower, const char *library, const char *options,
                   const char *folder, const struct nsd_program *program, bool best_effort);
/* The program's start, held by the follower. */
void follow__holder(struct nsd_follower *follower, struct nsd_holder *holder);
/* Why the program itself was not watched; NULL if it was, or needed no help. */
const char *follow__why(const struct nsd_follower *follower);
/* It never began, for that reason. */
bool follow__prevented(const struct nsd_follower *follower);
/* The follower has ended before the program did. */
bool follow__was_lost(const struct nsd_follower *follower);
void follow__end(struct nsd_follower *follower);

#endif
