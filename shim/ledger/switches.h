/*
 * Switches: one record for each time that a thread leaves home, from then until it is home again,
 * with what was seen meanwhile that a rule may want to know. Made by the ledger; rules read it and
 * hang their finding on it. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_SWITCHES_H
#define NSD_LEDGER_SWITCHES_H

#include "ledger/labels.h"

struct nsd_finding;
struct nsd_thread;

/* An event that matters later: its facts, without its identities. */
struct nsd_witness {
    const struct nsd_frames *frames;
    uint64_t stack_pointer;
    uint64_t time;
    uint64_t arguments[5];
    int64_t result;
    int64_t goroutine;
    int32_t tid;
    uint16_t call;
    nsd_kinds kinds; /* those of the switch that it is about */
};

struct nsd_switch {
    struct nsd_switch *outer;           /* the same thread's, begun before this one */
    struct nsd_switch *next, *previous; /* all that are open */
    struct nsd_switch *next_of_goroutine;
    struct nsd_label *before[NSD_KINDS]; /* held; where the thread stood when the kind changed */
    struct nsd_witness began;
    struct nsd_witness *failure;   /* a restore that failed and was not made good */
    struct nsd_witness *sibling;   /* main's: a thread at home made a call that depends on kinds */
    struct nsd_witness *elsewhere; /* what belongs to this switch, seen on another thread */
    struct nsd_finding *finding;   /* of the rules: the one that takes in what follows */
    uint64_t lock_epoch;
    uint64_t over_since; /* time of the event that showed visit_over */
    uint32_t id;
    uint32_t holders;
    uint32_t serial;     /* of the thread */
    uint32_t fired;      /* of the rules: two bits each, severity + 1 */
    nsd_kinds kinds;     /* that it changed */
    nsd_kinds came_home; /* of these, kinds that were home again at some time */
    uint8_t runtime;     /* enum nsd_runtime */
    uint8_t lock;        /* enum nsd_lock_state when it began */
    uint8_t visit_frame; /* of began.frames; 0: no restore of this switch showed it */
    bool is_move;        /* the only thread's: the process moved */
    bool is_open;
    bool ended_home;     /* closed by coming home, or back to where it began */
    bool restore_failed; /* at least once */
    bool visit_over;     /* the function that should have gone home has returned */
    bool repeated;       /* the call that began it was made again, from the same place */
    bool fresh_mnt;      /* made a mnt namespace, and has not used it so far */
    bool used_mnt;
};

/* What one event tells, kept. */
void witness__fill(struct nsd_witness *witness, const struct nsd_event *event, nsd_kinds kinds);
/* Puts it where `slot` points; what stood there is given back. NULL for event: nothing is kept. */
void witness__keep(struct nsd_witness **slot, const struct nsd_event *event, nsd_kinds kinds);

#define NSD_SWITCH_BUCKETS 64u

struct nsd_switches {
    struct nsd_switch *first;                            /* open ones, newest first */
    struct nsd_switch *by_goroutine[NSD_SWITCH_BUCKETS]; /* open ones of goroutines */
    struct nsd_switch *pending_free; /* closed by the last event; linked by next */
    struct nsd_switch *spare;        /* given back last: the next visit takes it */
    uint32_t last_id;
    uint32_t open;
    uint32_t unused_mnt; /* open ones that made a mnt namespace and have not used it */
    uint32_t lost;
};

/* A new open switch, begun by this event. NULL without memory. */
struct nsd_switch *switches__begin(struct nsd_switches *switches, const struct nsd_event *event,
                                   uint32_t serial);
/*
 * Ends it: no longer found among the open ones. Rules may still look at it until the next event;
 * then it is given back, unless somebody holds it.
 */
void switches__close(struct nsd_switches *switches, struct nsd_switch *departure, bool home);
/* Gives back what the last event closed, all but one record for the next visit. */
void switches__free_closed(struct nsd_switches *switches, struct nsd_labels *labels);
static inline void switches__free_pending(struct nsd_switches *switches,
                                          struct nsd_labels *labels) {
    if (switches->pending_free != NULL)
        switches__free_closed(switches, labels);
}
/* Gives that one back, too. */
void switches__reset(struct nsd_switches *switches);

struct nsd_switch *switch__hold(struct nsd_switch *departure);
void switch__drop(struct nsd_labels *labels, struct nsd_switch *departure);

/* Adds kinds that changed, with where the thread stood before; kinds it has already keep theirs. */
void switch__add_kind(struct nsd_switch *departure, enum nsd_kind kind, struct nsd_label *before);
/* The mnt namespace that it made is used now, or was not made by it. */
void switches__set_fresh_mnt(struct nsd_switches *switches, struct nsd_switch *departure,
                             bool fresh);

/* Open switches that this goroutine began; then the next one, NULL at the end. */
struct nsd_switch *switches__of_goroutine(struct nsd_switches *switches, int64_t goroutine);
struct nsd_switch *switch__next_of_goroutine(struct nsd_switch *departure);

#endif
