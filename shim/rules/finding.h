/*
 * What a rule yields: which rule, how bad, who, where, and what it pairs with. Made by the rules
 * under the ledger's lock, kept until the report, worded by the report alone.
 */
#ifndef NSD_RULES_FINDING_H
#define NSD_RULES_FINDING_H

#include "ledger/event.h"
#include "ledger/ledger.h"

enum nsd_severity {
    NSD_SEVERITY_NOTE,
    NSD_SEVERITY_WARNING,
    NSD_SEVERITY_ERROR,
};

/* X(name, id) in the order of cause: an earlier one takes a later one as its consequence. */
#define NSD_RULE_TABLE(X)                                                                          \
    X(UNLOCKED_SWITCH, "unlocked-switch")                                                          \
    X(RESTORE_FAILED, "restore-failed")                                                            \
    X(UNLOCKED_WHILE_SWITCHED, "unlocked-while-switched")                                          \
    X(SPLIT_SEQUENCE, "split-sequence")                                                            \
    X(EXEC_DISCARDS, "exec-discards")                                                              \
    X(MAIN_SWITCHED, "main-switched")                                                              \
    X(BORN_SWITCHED, "born-switched")                                                              \
    X(LEFT_SWITCHED, "left-switched")                                                              \
    X(DIED_SWITCHED, "died-switched")

enum nsd_rule_id {
#define X(name, id) NSD_RULE_##name,
    NSD_RULE_TABLE(X)
#undef X
    NSD_RULES
};

/*
 * Words with places to fill (a message is a sentence without its full stop, a remedy whole lines),
 * so that a rule can say what it means and only the report knows how
 * things are spelled:
 *   %t the thread, "thread 4242 (main)"     %w who: "goroutine 1", or the thread where there is none
 *   %T the other thread                     %k the kinds, "mnt and net"
 *   %c the call, "unshare(CLONE_NEWNS)"     %e its error, "EINVAL"
 *   %l the line of the primary stack        %s the line of the switch's stack
 *   %g the same, but of Go code where the stack begins in C
 */
typedef const char *nsd_words;

struct nsd_related {
    const char *what; /* "switched here", "created here" */
    int32_t tid;
    int64_t goroutine;
    const struct nsd_frames *frames;
};

#define NSD_RELATED_MOST 3

struct nsd_finding {
    struct nsd_finding *next;
    struct nsd_finding *consequences; /* chained by next; theirs are empty */
    enum nsd_rule_id rule;
    enum nsd_severity severity;       /* its own; the worst of it and its consequences is reported */
    uint32_t switch_id;               /* 0: stands by itself */
    uint32_t count;
    uint64_t time;                    /* ticks */
    nsd_words message;
    nsd_words remedy;                 /* NULL for none */
    int32_t tid;
    int32_t other_tid;                /* for %T */
    int64_t goroutine;
    int64_t result;
    uint64_t arguments[5];
    uint16_t call;                    /* enum nsd_call; NSD_CALL_NONE for a state seen at the end */
    uint8_t lock;                     /* enum nsd_lock_state */
    bool main_thread;
    bool withdrawn;                   /* exec-discards after the exec came back */
    bool printed;                     /* by an earlier report of this image */
    uint32_t kept;                    /* the recording's own: 1 + its entry there */
    nsd_kinds kinds;
    struct nsd_label *before[NSD_KINDS], *after[NSD_KINDS], *home[NSD_KINDS]; /* held */
    const struct nsd_frames *frames;  /* primary stack */
    const struct nsd_frames *switch_frames; /* of the switch it belongs to, NULL if the same */
    struct nsd_related related[NSD_RELATED_MOST];
    unsigned related_count;
};

const char *rules__name(enum nsd_rule_id rule);
const char *severity__name(enum nsd_severity severity);
/* The worst of the finding and of its consequences that are not withdrawn. */
enum nsd_severity finding__severity(const struct nsd_finding *finding);

#endif
