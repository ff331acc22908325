/*
 * A recording's bytes taken apart: which images are in it, what is known of each, its tables, and
 * its records one after the other. Pure and freestanding: bytes in, nothing trusted, nothing
 * written, no memory taken; every loop is bounded by the file's size. Called by replay.c and by the
 * command.
 */
#ifndef NSD_RECORD_READER_H
#define NSD_RECORD_READER_H

#include "record/format.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stddef.h>

struct nsd_recording {
    const uint8_t *bytes; /* the caller's, must stay; any alignment */
    size_t size;
    struct nsd_record_file file;
    bool cut; /* shorter than it says: what is there can be read */
};

/* One image. */
struct nsd_part {
    const uint8_t *bytes;
    size_t size;
    struct nsd_record_part head; /* a copy whose offsets and strings have been checked */
    unsigned number;             /* 0: the main part */
};

/* False, with a short reason in *why, for what is no recording that can be read. */
bool recording__open(struct nsd_recording *recording, const void *bytes, size_t size,
                     const char **why);
/* Parts that may have been begun: the main one and the slices that were claimed. */
unsigned recording__parts(const struct nsd_recording *recording);
/* False, with *why, if this part was never begun or cannot be read. */
bool recording__part(const struct nsd_recording *recording, unsigned number, struct nsd_part *part,
                     const char **why);

/* All that the findings come from is there, in the order in which the ledger saw it. */
bool part__is_whole(const struct nsd_part *part);
/* Base name of facts.path. */
const char *part__program(const struct nsd_part *part);

/* ---- tables ---- */

/* A record in a table or a block: checked to lie within it, with the size that its type needs. */
struct nsd_record {
    const uint8_t *bytes; /* the head first; may be unaligned: copy out */
    size_t size;
    enum nsd_record_type type;
    unsigned count;
};

/* From one to the next: zeroed before the first. False at the end. */
struct nsd_table_cursor {
    uint64_t offset;
    uint64_t used;
    uint32_t strings; /* so far: the number of the STRING just read */
};
bool part__next_table(const struct nsd_part *part, struct nsd_table_cursor *cursor,
                      struct nsd_record *record);

/* ---- blocks ---- */

struct nsd_block_cursor {
    uint64_t sequence; /* of the block being read, 0 before the first */
    uint64_t last;     /* the newest block's */
    uint64_t offset, used;
    uint64_t next_record; /* number of the one to come */
    const uint8_t *block;
    bool gap; /* records are missing before the one just read: they were overwritten */
};
bool part__next_record(const struct nsd_part *part, struct nsd_block_cursor *cursor,
                       struct nsd_record *record);

/* The event as the ledger saw it, without its frames; false if it makes no sense. */
bool record__read_event(const struct nsd_record *record, struct nsd_event *event, uint32_t *stack);
bool record__read_answer(const struct nsd_record *record, unsigned index, uint64_t *value,
                         bool *could_be_read);
bool record__read_learnt(const struct nsd_record *record, struct nsd_record_learnt *learnt);
bool record__read_judged(const struct nsd_record *record, struct nsd_record_judged *judged);

/* ---- kept findings ---- */

unsigned part__kept_count(const struct nsd_part *part);
/* False for an entry that is not in use. */
bool part__kept(const struct nsd_part *part, unsigned index, struct nsd_kept *kept);

/* ---- the index of a run's folder ---- */

struct nsd_index_view {
    const uint8_t *bytes;
    size_t size;
    struct nsd_index head;
};
bool index__open(struct nsd_index_view *index, const void *bytes, size_t size, const char **why);
/* Slots that may be filled; index__slot is false for one that is not. */
unsigned index__slots(const struct nsd_index_view *index);
bool index__slot(const struct nsd_index_view *index, unsigned number, struct nsd_index_slot *slot);

#endif
