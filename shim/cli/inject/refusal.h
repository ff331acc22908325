/*
 * Why a program could not be watched, in the one line that its user will read: the first reason
 * counts, what fails after it follows from it. Called by whatever works on a traced program.
 */
#ifndef NSD_CLI_INJECT_REFUSAL_H
#define NSD_CLI_INJECT_REFUSAL_H

#include "cli/inject/remote.h"
#include <limits.h>
#include <stdbool.h>

struct nsd_refusal {
    char program[PATH_MAX];
    char why[PATH_MAX + 256]; /* empty: nothing is in the way */
    unsigned reason;          /* where the reason itself begins in it */
};

void refusal__begin(struct nsd_refusal *refusal, const char *program);
/* It has turned out to be none. */
void refusal__take_back(struct nsd_refusal *refusal);
bool refusal__is_said(const struct nsd_refusal *refusal);
/* Without the program's name. */
const char *refusal__reason(const struct nsd_refusal *refusal);
/* "PROGRAM could not be watched: ..."; always false, so that it can be returned. */
bool refusal__say(struct nsd_refusal *refusal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for a remote call: "it cannot WHAT", by its answer or by the program's end over it. */
bool refusal__say_call(struct nsd_refusal *refusal, const struct nsd_remote *remote,
                       const char *what, int64_t answer);

#endif
