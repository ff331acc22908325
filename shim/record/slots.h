/*
 * The slots of a run's index. Many processes at once claim them by one atomic add, fill them in and
 * commit them by one store. Called by writer.c for its own image and by the command for programs
 * that are not watched. No system calls; safe in signal handlers and fork children.
 */
#ifndef NSD_RECORD_SLOTS_H
#define NSD_RECORD_SLOTS_H

#include "record/format.h"
#include <stdbool.h>

/* A slot that nobody else has, with undefined content. NULL if there is none left. */
struct nsd_index_slot *slots__claim(struct nsd_index *index);
/* The slot is filled in: readers may use it. */
void slots__commit(struct nsd_index_slot *slot);
/* The slot is free again. */
void slots__give_back(struct nsd_index_slot *slot);
/*
 * True if the index is half full and the slot is not one of the run's own process: then an image
 * with nothing to say gives its slot back. A start-up script that builds what it starts executes
 * thousands of programs.
 */
bool slots__is_wanted_back(const struct nsd_index *index, const struct nsd_index_slot *slot);

/* A program that will not be watched, described at its exec. The strings are copied and cut. */
struct nsd_unwatched {
    int32_t pid;
    uint64_t pid_ns;
    uint64_t ticks, wall; /* now, by base/clock.h */
    const char *probe;    /* "image": it is not watched; "folder": it is, but cannot record */
    const char *why;
    bool counts; /* true: the run's result is uncertain without it; false: it is only listed */
    bool is_go;  /* it is Go all the same */
};

/* Claims a slot. Returns its facts, all zero; NULL if there is no slot. */
struct nsd_record_facts *slots__claim_unwatched(struct nsd_index *index);
/* All but the path. */
void slots__describe_unwatched(struct nsd_record_facts *facts, const struct nsd_unwatched *program);
struct nsd_index_slot *slots__of(struct nsd_record_facts *facts);

#endif
