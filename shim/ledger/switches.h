/*
 * Switches: one record for each time that a thread leaves home. Example:
 *
 *     unshare(CLONE_NEWNET)  opens a departure: began = this call, kinds = net
 *     setns(mnt)             adds mnt: the same goroutine (or one-to-one thread) changes it
 *     setns(mnt) back        came_home = mnt; the departure stays open
 *     setns(net) back        closes it: every kind is home again (ended_home)
 *
 * A variable of this type is called `departure`. It also keeps what a rule may ask later: a restore
 * that failed, calls on other threads, whether its visit is over (visits.h), the finding about it.
 * A closed record stays readable until the next event; a holder (switch__hold) keeps it longer.
 *
 * Opened and closed by the ledger; rules read it and attach their finding. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_SWITCHES_H
#define NSD_LEDGER_SWITCHES_H

#include "ledger/labels.h"

struct nsd_finding;
struct nsd_thread;

/* The facts of an event that a rule needs later: a copy without the identities. */
struct nsd_witness {
    const struct nsd_frames *frames;
    uint64_t stack_pointer;
    uint64_t time;
    uint64_t arguments[5];
    int64_t result;
    int64_t goroutine;
    int32_t tid;
    uint16_t call;
    nsd_kinds kinds; /* kinds of the departure that the event is about */
};

struct nsd_switch {
    struct nsd_switch *outer;             /* an older open departure of the same thread */
    struct nsd_switch *next, *previous;   /* in the list of all open departures */
    struct nsd_switch *next_of_goroutine; /* in the bucket of its goroutine */
    struct nsd_label *before[NSD_KINDS];  /* held; where the thread was before the kind changed */
    struct nsd_witness began;             /* the call that opened it */
    struct nsd_witness *failure;   /* a restore that failed and was not repeated with success */
    struct nsd_witness *sibling;   /* the leader's departure: a later call of a thread at home */
    struct nsd_witness *elsewhere; /* a call on another thread that belongs to this departure */
    uint64_t fired; /* the rules': two bits for each rule, severity + 1; 0: not fired */
    struct nsd_finding *finding; /* the rules': the one that later findings are added to */
    uint64_t lock_epoch;         /* of the event that opened it */
    uint64_t over_since;         /* time of the event that showed visit_over */
    uint32_t id;                 /* 1, 2, 3 ... */
    uint32_t holders;            /* reference count */
    uint32_t serial;             /* of the thread */
    nsd_kinds kinds;             /* kinds that it changed */
    nsd_kinds came_home;         /* of these, kinds that were home again at some time */
    uint8_t runtime;             /* enum nsd_runtime */
    uint8_t lock;                /* enum nsd_lock_state when it was opened */
    uint8_t visit_frame;         /* the visiting function's callee, of began.frames; 0: not known */
    bool is_move;                /* made by the only thread: the whole process moved */
    bool is_open;
    bool ended_home;     /* closed because every kind came home, or back to `before` */
    bool restore_failed; /* at least once */
    bool visit_over;     /* the function that should have restored the thread has returned */
    bool repeated;       /* the call that opened it was made again from the same place */
    bool fresh_mnt;      /* made a mnt namespace and made no call that depends on it so far */
    bool used_mnt;       /* made such a call, or entered an existing mnt namespace */
};

/* Copies the facts of `event`. */
void witness__fill(struct nsd_witness *witness, const struct nsd_event *event, nsd_kinds kinds);
/* Keeps `event` in *slot instead of an older one; without memory nothing. NULL frees *slot. */
void witness__keep(struct nsd_witness **slot, const struct nsd_event *event, nsd_kinds kinds);

#define NSD_SWITCH_BUCKETS 64u

struct nsd_switches {
    struct nsd_switch *first;                            /* open ones, newest first */
    struct nsd_switch *by_goroutine[NSD_SWITCH_BUCKETS]; /* open ones of goroutines */
    struct nsd_switch *pending_free; /* closed by the last event; linked by `next` */
    struct nsd_switch *spare;        /* one freed record, so that a visit needs no allocation */
    uint32_t last_id;
    uint32_t open;
    uint32_t unused_mnt; /* open ones with fresh_mnt */
    uint32_t lost;       /* departures without memory */
};

/* Opens a departure of the thread with this serial, at this event. NULL without memory. */
struct nsd_switch *switches__begin(struct nsd_switches *switches, const struct nsd_event *event,
                                   uint32_t serial);
/*
 * Closes it; `home`: because the thread is home. Rules may read it until the next event, which
 * drops the ledger's reference by switches__free_pending().
 */
void switches__close(struct nsd_switches *switches, struct nsd_switch *departure, bool home);
/* Drops what the last event closed; keeps one freed record as the spare. */
void switches__free_closed(struct nsd_switches *switches, struct nsd_labels *labels);
static inline void switches__free_pending(struct nsd_switches *switches,
                                          struct nsd_labels *labels) {
    if (switches->pending_free != NULL)
        switches__free_closed(switches, labels);
}
/* Frees the spare. */
void switches__reset(struct nsd_switches *switches);

/* Reference counting; both ignore NULL. */
struct nsd_switch *switch__hold(struct nsd_switch *departure);
void switch__drop(struct nsd_labels *labels, struct nsd_switch *departure);

/* Adds a kind, with the namespace before it. A kind that is there already keeps its `before`. */
void switch__add_kind(struct nsd_switch *departure, enum nsd_kind kind, struct nsd_label *before);
/* Sets fresh_mnt and keeps the count of them. */
void switches__set_fresh_mnt(struct nsd_switches *switches, struct nsd_switch *departure,
                             bool fresh);

/* The open departures of a goroutine: the first and the next, NULL at the end. */
struct nsd_switch *switches__of_goroutine(struct nsd_switches *switches, int64_t goroutine);
struct nsd_switch *switch__next_of_goroutine(struct nsd_switch *departure);

#endif
