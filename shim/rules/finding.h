/*
 * A finding: which rule, how severe, which thread, where, and the other places that belong to it.
 * Made by the rules under the ledger's lock and kept until the image ends; the report room turns it
 * into text or JSON. Later only findings.c changes it, but for `printed` (the report) and `kept`
 * (the recording).
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

/*
 * X(NAME, "name in reports"), in the order of causes: of two findings about one departure the
 * earlier row is the finding, the later one its consequence. NAME gives NSD_RULE_NAME and
 * nsd_rule_NAME.
 */
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
 * A message (a sentence without its full stop) or a remedy (whole lines) with places that the
 * report fills, so that a rule says what happened and the report how threads, calls and lines are
 * written. A literal; a recording keeps its text. Write for a reader who does not know this
 * project's words: "in another net namespace", not "away"; "setns back", not "go home".
 *
 *   %t  the thread: "thread 4242 (main)"     %w  the goroutine: "goroutine 1"; without one, as %t
 *   %T  the other thread                     %k  the kinds: "mnt and net"
 *   %c  the call: "unshare(CLONE_NEWNS)"     %e  its error: "EINVAL"
 *   %l  the line of the finding's stack      %s  the line of the stack that opened the departure
 *   %g  as %l, but the first line of Go code where the stack begins in C
 */
typedef const char *nsd_words;

/* Another place that belongs to a finding. */
struct nsd_related {
    const char *what; /* a literal: "switched here", "created here" */
    int32_t tid;
    int64_t goroutine;
    const struct nsd_frames *frames;
};

#define NSD_RELATED_MOST 3

struct nsd_finding {
    struct nsd_finding *next;         /* in the list of findings, or of consequences */
    struct nsd_finding *consequences; /* linked by next; a consequence has none itself */
    enum nsd_rule_id rule;
    enum nsd_severity severity; /* its own; finding__severity is the one that is reported */
    uint32_t switch_id;         /* id of the departure; 0: about none */
    uint32_t count;             /* how often it was found at the same places */
    uint64_t time;              /* ticks */
    nsd_words message;
    nsd_words remedy; /* NULL: none */
    int32_t tid;
    int32_t other_tid; /* for %T */
    int64_t goroutine;
    int64_t result;
    uint64_t arguments[5];
    uint16_t call; /* enum nsd_call; NSD_CALL_NONE: a state, not a call */
    uint8_t lock;  /* enum nsd_lock_state */
    bool main_thread;
    bool withdrawn; /* taken back: exec-discards after a failed exec */
    bool printed;   /* an earlier report of this image has printed it */
    uint32_t kept;  /* the recording's: 1 + number of its entry; 0: not recorded */
    nsd_kinds kinds;
    struct nsd_label *before[NSD_KINDS], *after[NSD_KINDS], *home[NSD_KINDS]; /* held */
    const struct nsd_frames *frames;        /* of the finding; NULL: none */
    const struct nsd_frames *switch_frames; /* that opened the departure; NULL: the same, or none */
    struct nsd_related related[NSD_RELATED_MOST];
    unsigned related_count;
};

/* Names as in reports; a literal. "unknown" for a number outside of the enum. */
const char *rules__name(enum nsd_rule_id rule);
const char *severity__name(enum nsd_severity severity);
/* The worst severity of the finding and of its consequences that are not withdrawn. */
enum nsd_severity finding__severity(const struct nsd_finding *finding);

#endif
