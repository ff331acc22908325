/*
 * The slots of a run's index: claimed by one atomic add, filled in, and committed by one store, by
 * many processes at once. Called by writer.c for the image it runs in and by the command for
 * programs that nobody watches. No system calls; safe in signal handlers and fork children.
 */
#ifndef NSD_RECORD_SLOTS_H
#define NSD_RECORD_SLOTS_H

#include "record/format.h"
#include <stdbool.h>

/* A slot for us alone, its content whatever it was, or NULL where there is none left. */
struct nsd_index_slot *slots__claim(struct nsd_index *index);
/* It is whole: readers may take it. */
void slots__commit(struct nsd_index_slot *slot);
/* It is nobody's any more. */
void slots__give_back(struct nsd_index_slot *slot);
/*
 * The index is half full, so that images with nothing to say are to make room: a start-up script
 * that builds what it starts executes thousands. The run's own process always keeps its slots.
 */
bool slots__is_wanted_back(const struct nsd_index *index, const struct nsd_index_slot *slot);

/* A program that will not be watched, as it becomes one. The strings are copied, and cut. */
struct nsd_unwatched {
    int32_t pid;
    uint64_t pid_ns;
    uint64_t ticks, wall; /* now, by base/clock.h */
    const char *probe;    /* what is missing: "image", or "folder" if only its words are */
    const char *why;
    bool counts; /* the run's result is uncertain without it; else it is named, no more */
};

/* A claimed slot's facts, all zero, or NULL. */
struct nsd_record_facts *slots__claim_unwatched(struct nsd_index *index);
/* All but the path. */
void slots__describe_unwatched(struct nsd_record_facts *facts, const struct nsd_unwatched *program);
struct nsd_index_slot *slots__of(struct nsd_record_facts *facts);

#endif
