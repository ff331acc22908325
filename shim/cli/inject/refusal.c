/*
 * Reasons, see refusal.h.
 */
#include "cli/inject/refusal.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void refusal__begin(struct nsd_refusal *refusal, const char *program) {
    snprintf(refusal->program, sizeof refusal->program, "%s", program);
    refusal__take_back(refusal);
}

void refusal__take_back(struct nsd_refusal *refusal) {
    refusal->why[0] = '\0';
    refusal->reason = 0;
}

bool refusal__is_said(const struct nsd_refusal *refusal) {
    return refusal->why[0] != '\0';
}

const char *refusal__reason(const struct nsd_refusal *refusal) {
    return refusal->why + refusal->reason;
}

bool refusal__say(struct nsd_refusal *refusal, const char *format, ...) {
    size_t size = sizeof refusal->why, used;
    va_list arguments;

    if (refusal__is_said(refusal))
        return false;
    used = (size_t) snprintf(refusal->why, size, "%s could not be watched: ", refusal->program);
    refusal->reason = (unsigned) (used < size ? used : size - 1);
    va_start(arguments, format);
    vsnprintf(refusal->why + refusal->reason, size - refusal->reason, format, arguments);
    va_end(arguments);
    return false;
}

bool refusal__say_call(struct nsd_refusal *refusal, const struct nsd_remote *remote,
                       const char *what, int64_t answer) {
    if (remote->gone && WIFSIGNALED(remote->status))
        return refusal__say(
            refusal, "it was killed by signal %d when it was to %s%s", WTERMSIG(remote->status),
            what, WTERMSIG(remote->status) == SIGSYS ? " (a seccomp filter is in force)" : "");
    return refusal__say(refusal, "it cannot %s: %s", what,
                        strerror(answer < 0 ? (int) -answer : EIO));
}
