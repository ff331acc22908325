/*
 * Why a program could not be watched, as the one line that the user reads. The first reason is
 * kept: later failures are its consequences. Called by the files of this room.
 */
#ifndef NSD_CLI_INJECT_REFUSAL_H
#define NSD_CLI_INJECT_REFUSAL_H

#include "cli/inject/remote.h"
#include <limits.h>
#include <stdbool.h>

struct nsd_refusal {
    char program[PATH_MAX];
    char why[PATH_MAX + 256]; /* empty: there is none */
    unsigned reason;          /* where the reason itself begins in it */
};

void refusal__begin(struct nsd_refusal *refusal, const char *program);
/* Forgets the reason. */
void refusal__take_back(struct nsd_refusal *refusal);
bool refusal__is_said(const struct nsd_refusal *refusal);
/* Without the program's name. */
const char *refusal__reason(const struct nsd_refusal *refusal);
/* "PROGRAM could not be watched: ..."; always false, so that it can be returned. */
bool refusal__say(struct nsd_refusal *refusal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for a remote call: "it cannot WHAT", with its error or the signal that killed it. */
bool refusal__say_call(struct nsd_refusal *refusal, const struct nsd_remote *remote,
                       const char *what, int64_t answer);

#endif
