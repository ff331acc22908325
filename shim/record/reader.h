/*
 * Takes a recording apart. Bytes come in; out come the images in it, what is known of each, its
 * tables, and its records one after the other. Nothing in the bytes is trusted, nothing is written,
 * no memory is taken, and every loop is bounded by the file's size. Freestanding. Called by
 * replay.c and by the command.
 */
#ifndef NSD_RECORD_READER_H
#define NSD_RECORD_READER_H

#include "record/format.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stddef.h>

struct nsd_recording {
    const uint8_t *bytes; /* owned by the caller, must stay; any alignment */
    size_t size;
    struct nsd_record_file file;
    bool cut; /* the file is shorter than its header says; what is there can be read */
};

/* One image. */
struct nsd_part {
    const uint8_t *bytes;
    size_t size;
    struct nsd_record_part head; /* a copy whose offsets and strings have been checked */
    unsigned number;             /* 0: the main part */
};

/* False, with a short reason in *why, if the bytes are no recording that this build can read. */
bool recording__open(struct nsd_recording *recording, const void *bytes, size_t size,
                     const char **why);
/* The number of parts that may have been begun: the main part and the claimed slices. */
unsigned recording__parts(const struct nsd_recording *recording);
/* False, with *why, if this part was never begun or cannot be read. */
bool recording__part(const struct nsd_recording *recording, unsigned number, struct nsd_part *part,
                     const char **why);

/* No event was overwritten: replaying them gives all findings. */
bool part__is_whole(const struct nsd_part *part);
/* Base name of facts.path. */
const char *part__program(const struct nsd_part *part);

/* ---- tables ---- */

/* A record in a table or a block. It lies within that, and is as large as its type needs. */
struct nsd_record {
    const uint8_t *bytes; /* the head first; may be unaligned: copy out */
    size_t size;
    enum nsd_record_type type;
    unsigned count;
};

/* The position between two calls; all zero before the first. The call returns false at the end. */
struct nsd_table_cursor {
    uint64_t offset;
    uint64_t used;
    uint32_t strings; /* number of the last STRING that was read */
};
bool part__next_table(const struct nsd_part *part, struct nsd_table_cursor *cursor,
                      struct nsd_record *record);

/* ---- blocks ---- */

struct nsd_block_cursor {
    uint64_t sequence; /* of the block being read, 0 before the first */
    uint64_t last;     /* the newest block's */
    uint64_t offset, used;
    uint64_t next_record; /* number of the next record */
    const uint8_t *block;
    bool gap; /* records before the last one read are missing: they were overwritten */
};
bool part__next_record(const struct nsd_part *part, struct nsd_block_cursor *cursor,
                       struct nsd_record *record);

/* The event as the ledger saw it, without its frames; false if a value in it is impossible. */
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
/* The number of slots that may be filled. index__slot returns false for a slot that is not. */
unsigned index__slots(const struct nsd_index_view *index);
bool index__slot(const struct nsd_index_view *index, unsigned number, struct nsd_index_slot *slot);

#endif
