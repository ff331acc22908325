/*
 * Visits of one-to-one runtimes: was a switch meant to come back, and has the function that should
 * have brought it home returned? Learnt from the switches that did come home, by the stacks that
 * began and ended them. Called by the ledger and the rules, under the ledger's lock.
 */
#ifndef NSD_LEDGER_VISITS_H
#define NSD_LEDGER_VISITS_H

#include "ledger/switches.h"

/*
 * The word at `address` of thread `tid`'s stack, in memory that may be gone: false if it cannot be
 * had. `stack_pointer` is that thread's where it is known, else 0.
 */
typedef bool (*nsd_read_word)(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                              uint64_t *value);

#define NSD_VISIT_SETS 64u
#define NSD_VISIT_WAYS 4u

/* What is known of the switches that one stack began. */
struct nsd_visit {
    uint64_t hash;         /* of the frames that begin it; 0: free */
    uint64_t restore_hash; /* of the frames that last ended it */
    uint64_t earliest;     /* time at which the first of them that came home began */
    uint64_t used;         /* counts up, for replacement */
    uint8_t frame;         /* innermost common frame, 0: none could be told */
    bool repeated;         /* one of them made the call several times before it came home */
};

struct nsd_visits {
    struct nsd_visit visit[NSD_VISIT_SETS][NSD_VISIT_WAYS];
    uint64_t uses;
    nsd_read_word read_word; /* NULL: over a recording */
    void *read_context;
};

enum nsd_visit_state {
    NSD_VISIT_UNKNOWN,
    NSD_VISIT_GOES_ON,
    NSD_VISIT_OVER,
};

/* A switch has come home by this event. */
void visits__learn(struct nsd_visits *visits, const struct nsd_switch *departure,
                   const struct nsd_event *restore);
/*
 * A restore of this switch that failed, or that brought home some of its kinds: from its stack
 * alone it shows which function visits.
 */
void visits__learn_of_switch(struct nsd_switch *departure, const struct nsd_event *restore);
/*
 * A restore works. Where only this switch's own way back had shown which function visits, one
 * further out may finish it, or try again what failed: then nothing is over.
 */
void visits__clear_over(const struct nsd_visits *visits, struct nsd_switch *departure,
                        const struct nsd_event *restore);
/* The call that began it is made once more, changing nothing: see visits.c. */
void visits__note_repetition(const struct nsd_visits *visits, struct nsd_switch *departure,
                             const struct nsd_event *event, bool changed);

/* An earlier switch from the same stack came home, or this one showed that it wants to. */
bool visits__is_meant_to_come_back(const struct nsd_visits *visits,
                                   const struct nsd_switch *departure);
/*
 * At `event` (its thread's own: then the event's stack tells much) or at a report (another
 * thread's event, or NULL).
 */
enum nsd_visit_state visits__state(const struct nsd_visits *visits,
                                   const struct nsd_switch *departure,
                                   const struct nsd_event *event);

/* The frame of `frames` whose function made `at`'s call or one that led to it is still running. */
bool visits__is_caller_of(const struct nsd_witness *began, const struct nsd_frames *frames,
                          uint64_t stack_pointer);

#endif
