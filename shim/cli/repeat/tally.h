/*
 * Signs: findings and orders of events that occurred in runs. Each is counted once a run,
 * separately for runs that passed and runs that failed. Called by `nsdrift repeat`.
 */
#ifndef NSD_CLI_REPEAT_TALLY_H
#define NSD_CLI_REPEAT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * X(name): kinds of signs. The order decides which of several signs that occur in the very same
 * runs is named first: the one nearer to the cause.
 */
#define NSD_SIGN_TABLE(X)                                                                          \
    X(MIGRATION)   /* a goroutine moved to another thread between two calls */                     \
    X(THREADS)     /* a call on the thread of the switch, or on another */                         \
    X(DEATH)       /* the thread of the switch ended before the exec */                            \
    X(BIRTH)       /* a thread was born of the thread that was away */                             \
    X(FAILED_CALL) /* a call that failed, and its error */                                         \
    X(CONSEQUENCE) /* what followed from a finding */                                              \
    X(FINDING)                                                                                     \
    X(PLACE) /* on which thread a switch was made */

enum nsd_sign_kind {
#define X(name) NSD_SIGN_##name,
    NSD_SIGN_TABLE(X)
#undef X
        NSD_SIGNS
};

struct nsd_sign {
    enum nsd_sign_kind kind;
    char *key;               /* different for each sign of a kind; owned */
    char *words;             /* for people; owned */
    char *detail;            /* a second line, NULL if there is none; owned */
    unsigned severity;       /* of a finding: 0 note, 1 warning, 2 error */
    uint64_t passed, failed; /* runs in which it occurred */
    size_t order;            /* in which signs were first seen */
    bool in_this_run;
    double chance; /* filled by tally__rank */
    bool sure;     /* nearly as sure as the surest */
};

struct nsd_tally {
    struct nsd_sign *sign; /* owned */
    size_t count, room;
    uint64_t passed, failed; /* runs */
};

/*
 * Enters a sign of the present run. Words and detail are copied the first time. The result is valid
 * until the next call; NULL without memory.
 */
struct nsd_sign *tally__saw(struct nsd_tally *tally, enum nsd_sign_kind kind, const char *key,
                            const char *words, const char *detail);
/* The run is over: counts its signs. */
void tally__end_run(struct nsd_tally *tally, bool passed);

/*
 * Sorts the signs: first those that occur with failing runs more often than chance would have it,
 * the surest first. Returns their number: they occur more often in failing runs, with a chance of
 * at most 5%.
 */
size_t tally__rank(struct nsd_tally *tally);
void tally__free(struct nsd_tally *tally);

#endif
