/*
 * Visits: departures of one-to-one threads that are meant to end. A thread that stays in another
 * namespace may do so by plan; a visit that was not restored is a fault. Example:
 *
 *     worker() {                      stacks of the two calls, innermost frame first:
 *         visit();                    setns(A): visit+10 | worker+5 | start
 *     }                               setns(H): visit+30 | worker+5 | start
 *     visit() {
 *         setns(A);     opens a departure
 *         ...
 *         setns(H);     closes it: this stack comes home, and frame 1 is learnt
 *     }
 *
 *   1. Learn. When a departure comes home, the stacks of its two calls are compared. The innermost
 *      frame that both have, with the same return address in the same stack slot, is frame 1
 *      (worker+5). So one run of the function that it called, visit, made both calls: visit is the
 *      visiting function.
 *   2. Meant to come back. A later departure from the same stack is a visit, too. So is one that
 *      restored some of its kinds, or whose restore failed.
 *   3. Over. While visit() runs, the slot of frame 1 holds worker+5. If it holds something else,
 *      visit() has returned without restoring the thread. The slot is read from the stack of the
 *      thread's own event if it shows it, else from memory by a copy that cannot fault.
 *
 * A visit that is over is not yet a fault: a caller may still restore the thread. The rules decide.
 *
 * Go threads have no visits: goroutine stacks move, and the lock state says more. Called by the
 * ledger and the rules, under the ledger's lock.
 */
#ifndef NSD_LEDGER_VISITS_H
#define NSD_LEDGER_VISITS_H

#include "ledger/switches.h"

/*
 * Reads the 8 bytes at `address` on the stack of thread `tid`. False if they cannot be read: the
 * stack may be unmapped. `stack_pointer` is the thread's, 0 if not known. In a replay it returns
 * the answer that the host got, which the recording has.
 */
typedef bool (*nsd_read_word)(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                              uint64_t *value);

#define NSD_VISIT_SETS 64u
#define NSD_VISIT_WAYS 4u

/* What was learnt from departures that one stack opened and that came home. */
struct nsd_visit {
    uint64_t hash;         /* of the stack that opens; 0: the entry is free */
    uint64_t restore_hash; /* of the stack that closed it last */
    uint64_t earliest;     /* time at which the first of them was opened */
    uint64_t used;         /* number of the last use: the entry with the lowest is replaced */
    uint8_t frame;         /* index of the innermost shared frame, 0: none */
    bool repeated;         /* one of them made the opening call several times before it came home */
};

/* A cache of fixed size: sets by hash, the least recently used entry of a set is replaced. */
struct nsd_visits {
    struct nsd_visit visit[NSD_VISIT_SETS][NSD_VISIT_WAYS];
    uint64_t uses;           /* the last number given to `used` */
    nsd_read_word read_word; /* NULL: no stack can be read */
    void *read_context;      /* handed to read_word */
};

enum nsd_visit_state {
    NSD_VISIT_UNKNOWN, /* no visiting function is known, or its slot cannot be read */
    NSD_VISIT_GOES_ON, /* the visiting function is running */
    NSD_VISIT_OVER,    /* it has returned */
};

/* Step 1, for a departure that `restore` has closed. */
void visits__learn(struct nsd_visits *visits, const struct nsd_switch *departure,
                   const struct nsd_event *restore);
/*
 * Step 1 for this departure alone, when a restore failed or brought home some of its kinds: its
 * stack already shows the visiting function.
 */
void visits__learn_of_switch(struct nsd_switch *departure, const struct nsd_event *restore);
/*
 * Called when `restore` brought a kind home and the same event has just marked the visit as over.
 * Removes the mark in two cases: the visiting function was learnt from this departure's own
 * restores alone, or a restore had failed. In both a function further out completes the restore.
 */
void visits__clear_over(const struct nsd_visits *visits, struct nsd_switch *departure,
                        const struct nsd_event *restore);
/*
 * The thread makes another setns or unshare while it is away; `changed`: it entered another
 * namespace. Marks the visit as over if it was forgotten, see visits.c.
 */
void visits__note_repetition(const struct nsd_visits *visits, struct nsd_switch *departure,
                             const struct nsd_event *event, bool changed);

/* Step 2. */
bool visits__is_meant_to_come_back(const struct nsd_visits *visits,
                                   const struct nsd_switch *departure);
/*
 * Step 3. `event`: the event that was just applied, or that occasions the report; may be NULL. Its
 * stack is used if it is of the departure's own thread.
 */
enum nsd_visit_state visits__state(const struct nsd_visits *visits,
                                   const struct nsd_switch *departure,
                                   const struct nsd_event *event);

/*
 * True if the function that made the call of `frames` also made the call of `began`, in the same
 * run, itself or through functions that it called. True also if the stacks are not known.
 */
bool visits__is_caller_of(const struct nsd_witness *began, const struct nsd_frames *frames,
                          uint64_t stack_pointer);

#endif
