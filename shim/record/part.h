/*
 * What the writer's files share: the part being written, and the steps by which it grows. Not for
 * others.
 */
#ifndef NSD_RECORD_PART_H
#define NSD_RECORD_PART_H

#include "record/format.h"
#include "rules/rules.h"

/* ---- file.c: files and their mappings ---- */

struct nsd_record_mapping {
    struct nsd_record_file *file; /* NULL: none */
    uint64_t size;
    char name[NSD_INDEX_RECORDING]; /* within the folder */
};

#define NSD_FOLDER_MOST 3072

/* Absolute, kept for what is opened later and for the removal. */
bool record_file__set_folder(const char *folder);
/* As record__begin answers. `size` is of the main part; shrunk to what RLIMIT_FSIZE allows. */
const char *record_file__make(struct nsd_record_mapping *mapping, uint64_t size, bool with_slices,
                              const struct nsd_record_facts *facts, int64_t *error);
/* Gives it its name, once a part in it has begun: whoever is killed before leaves none. */
void record_file__publish(const struct nsd_record_mapping *mapping);
void record_file__remove(const struct nsd_record_mapping *mapping);
/* The folder's index, NULL if there is none. */
struct nsd_index *record_file__map_index(void);

/* Sizes of a part's pieces. */
void record_part__lay_out(struct nsd_record_part *part, uint64_t size);
#define NSD_PART_LEAST (32u * 1024u)

/* ---- tables.c ---- */

struct nsd_interned; /* what stands in the tables already */

/*
 * Memory for a new part; NULL without. `old` is a fork copy's of its parent's: where no call may be
 * made it is emptied and used again.
 */
struct nsd_interned *record_tables__begin(struct nsd_interned *old);
/* Number of the string in the tables, 0 if there is no room or if it is empty. */
uint32_t record_tables__string(struct nsd_record_part *part, struct nsd_interned *interned,
                               const char *string);
/* Id of the stack, 0 if there is no room. */
uint32_t record_tables__stack(struct nsd_record_part *part, struct nsd_interned *interned,
                              const struct nsd_frames *frames);

/* ---- kept.c ---- */

/* Brings the kept findings up to date. Returns how many found no room. */
uint32_t record_kept__update(struct nsd_record_part *part, struct nsd_interned *interned,
                             const struct nsd_findings *findings);

/* One store that makes what was written before it count. */
static inline void record__commit(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#endif
