/*
 * Adds one image of a recording to the collection: its findings, its closing line, and, if they are
 * asked for, its threads, its events and its timeline. Called by recordings.c and folder.c.
 */
#ifndef NSD_CLI_READ_REPLAYED_H
#define NSD_CLI_READ_REPLAYED_H

#include "cli/read/collect.h"
#include "cli/read/timeline.h"
#include "record/reader.h"

/* A reading of one or more recordings. */
struct nsd_recordings {
    /* what is wanted */
    unsigned verbosity;  /* 2: threads, 3: events and whole stacks */
    bool debug_info;     /* lines of C frames: source_lines__begin was called */
    bool with_timelines; /* the images' events as a course of time */
    bool may_be_alive;   /* made on this machine just now: a process without an end may still run */
    /* what was read */
    struct nsd_collection collection;
    struct nsd_timeline *timelines; /* in the order of their beginnings; owned */
    unsigned images;
    bool unreadable; /* a file could not be read, or was cut short */
};

/* Replays the part and adds an image to the collection. False without memory. */
bool replayed__read(struct nsd_recordings *recordings, const struct nsd_part *part);
/* Adds an image of which only the facts are known. False without memory. */
bool replayed__add_facts(struct nsd_recordings *recordings, const struct nsd_record_facts *facts);

#endif
