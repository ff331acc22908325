/*
 * What the writer's files share: files and their mappings, the tables, the kept findings. Included
 * by writer.c, file.c, tables.c and kept.c alone.
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

/* Makes the path absolute and keeps it, for files that are opened or removed later. */
bool record_file__set_folder(const char *folder);
/*
 * Makes and maps a file. `size` is the main part's; it is reduced to what RLIMIT_FSIZE allows.
 * Returns as record__begin does.
 */
const char *record_file__make(struct nsd_record_mapping *mapping, uint64_t size, bool with_slices,
                              const struct nsd_record_facts *facts, int64_t *error);
/*
 * Gives the file its name, once a part in it has begun. A process that is killed earlier leaves no
 * recording.
 */
void record_file__publish(const struct nsd_record_mapping *mapping);
void record_file__remove(const struct nsd_record_mapping *mapping);
/* The folder's index, NULL if there is none. */
struct nsd_index *record_file__map_index(void);

/* Divides a part of `size` bytes into tables, kept findings and blocks. */
void record_part__lay_out(struct nsd_record_part *part, uint64_t size);
#define NSD_PART_LEAST (32u * 1024u)

/* ---- tables.c ---- */

struct nsd_interned; /* what the tables hold already */

/*
 * Memory for a new part; NULL if there is none. `old` is what a fork copy inherited from its
 * parent: where no system call may be made it is emptied and used again.
 */
struct nsd_interned *record_tables__begin(struct nsd_interned *old);
/*
 * What is written from now on belongs to findings: it may use the end of the tables, which events
 * leave free.
 */
void record_tables__for_findings(struct nsd_interned *interned, bool for_findings);
/* Number of the string in the tables, 0 if there is no room or if it is empty. */
uint32_t record_tables__string(struct nsd_record_part *part, struct nsd_interned *interned,
                               const char *string);
/* Id of the stack, 0 if there is no room. */
uint32_t record_tables__stack(struct nsd_record_part *part, struct nsd_interned *interned,
                              const struct nsd_frames *frames);

/* ---- kept.c ---- */

/* Brings the kept findings up to date. Returns how many of them found no room. */
uint32_t record_kept__update(struct nsd_record_part *part, struct nsd_interned *interned,
                             const struct nsd_findings *findings);

/*
 * One store, after everything that it makes valid. Release order: a reader in another process that
 * sees the new value sees what was written before it.
 */
static inline void record__commit(uint64_t *word, uint64_t value) {
    atomic_store_explicit((_Atomic uint64_t *) word, value, memory_order_release);
}

#endif
