/*
 * Replays a recording: the same ledger and the same rules see the same events in the same order,
 * with the same answers to their questions, and come to the same findings. Called by the command.
 * Takes memory from the arena, no more than the file's size times a constant, and has no other
 * effect. One replay at a time.
 */
#ifndef NSD_RECORD_REPLAY_H
#define NSD_RECORD_REPLAY_H

#include "names/recorded.h"
#include "record/reader.h"
#include "rules/rules.h"

struct nsd_replay {
    struct nsd_part part;
    struct nsd_ledger ledger;
    struct nsd_findings findings;
    struct nsd_recorded_names names; /* while this replay stands, naming__place answers from it */
    /* Clocks of the last report, or the latest that were recorded: for compose__time. */
    uint64_t now_ticks, now_wall;
    uint64_t events; /* replayed */
    bool from_kept;  /* findings were read as kept, since events had been overwritten */
    bool ended;      /* the image ended by a recorded exit, or by an exec that did not fail */
    /* private to replay.c */
    struct nsd_replay_tables *tables;
    const struct nsd_replay_watcher *watcher;
    struct nsd_event occasion; /* the last event that can occasion a report */
    struct nsd_record answers; /* answers to the present event's questions */
    unsigned answer;
};

/* Functions that are called during the replay; each may be NULL. */
struct nsd_replay_watcher {
    /* After the ledger and the rules have seen it. event->frames is filled where it is known. */
    void (*event)(void *context, struct nsd_replay *replay, const struct nsd_event *event,
                  const struct nsd_change *change);
    /* Events were overwritten here: what the ledger says from now on may be wrong. */
    void (*gap)(void *context, struct nsd_replay *replay);
    /* A report was made here. */
    void (*judged)(void *context, struct nsd_replay *replay, enum nsd_occasion occasion);
    void *context;
};

/*
 * Replays the whole part and judges it as the image itself did; an image without a recorded end is
 * judged as at a report on the way. Findings are then in replay->findings, threads in
 * replay->ledger, and naming__place knows every pc of them. False without memory. The struct need
 * not be initialised; replay__end gives everything back, also after false.
 */
bool replay__run(struct nsd_replay *replay, const struct nsd_part *part,
                 const struct nsd_replay_watcher *watcher);
void replay__end(struct nsd_replay *replay);

#endif
