/*
 * Reads a Go program's pclntab: from a function's name to its address, and from a pc to function,
 * file and line. Pure: works on bytes, in the host's memory or in a mapped file, and checks every
 * offset in them. Finding one function never takes a walk over all of them. Called by the Go finder
 * and by naming.
 */
#ifndef NSD_NAMES_PCLNTAB_H
#define NSD_NAMES_PCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_pclntab_form;

/* A stretch of the table's bytes. */
struct nsd_pclntab_part {
    const uint8_t *start;
    size_t size;
};

struct nsd_pclntab {
    const uint8_t *start; /* the header */
    size_t size;          /* bytes that may be read from start on */
    uint32_t magic;       /* 0xfffffffa, 0xfffffff0, 0xfffffff1 */
    uint32_t quantum;     /* bytes that a pc delta of 1 stands for */
    const struct nsd_pclntab_form *form;
    uint64_t functions, files; /* how many */
    uint64_t text;             /* run-time address of the text start */
    struct nsd_pclntab_part names, units, file_names, pc_values, records;
    /* What inline trees are relative to (moduledata.gofunc); size 0: calls are not unfolded. */
    struct nsd_pclntab_part function_data;
};

/*
 * False, with a short reason in *why, where the bytes are no pclntab of a known form. `text` 0: the
 * header's own field (1.18-1.25). function_data is left empty, for the caller to set.
 */
bool pclntab__open(struct nsd_pclntab *table, const uint8_t *start, size_t size, uint64_t text,
                   const char **why);
/*
 * Entry addresses of the functions with exactly this name, at most `most` (1.19+ hold two
 * syscall.Syscall). Searches the name table for the string, then the records that point to it.
 */
unsigned pclntab__find(const struct nsd_pclntab *table, const char *name, uint64_t *entries,
                       unsigned most);

/* Several names in one pass, which costs little more than one name. */
#define NSD_PCLNTAB_ENTRIES 4
struct nsd_pclntab_wish {
    const char *name;
    bool optional; /* not searched for beyond the place where the required names were found */
    unsigned count;
    uint64_t entry[NSD_PCLNTAB_ENTRIES];
    /* pclntab__find_all's own. A function and its wrapper have each a copy of the name (1.17). */
    uint32_t name_length, names;
    uint32_t name_offset[NSD_PCLNTAB_ENTRIES];
};
/* At most 64 wishes. Returns how many were found at least once. */
unsigned pclntab__find_all(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                           unsigned count);

/* Where the first function begins and the last one ends: moduledata.minpc and maxpc. */
void pclntab__range(const struct nsd_pclntab *table, uint64_t *start, uint64_t *end);
/* End of the function that begins at `entry` (start of the next one); 0 if none begins there. */
uint64_t pclntab__end_of(const struct nsd_pclntab *table, uint64_t entry);
/* How far below the function's return address its stack reaches at this pc; -1 if unknown. */
int32_t pclntab__stack_size(const struct nsd_pclntab *table, uint64_t pc);
/*
 * Function, file and line at exactly this pc. False if it is not in the table. Where calls were
 * inlined the answer is the outermost function, which has the frame, and the line of its call; for
 * a wrapper that the compiler made it is the function that was inlined into it. The types of a
 * generic function are three dots.
 */
bool pclntab__line(const struct nsd_pclntab *table, uint64_t pc, char *function,
                   size_t function_size, char *file, size_t file_size, uint32_t *line,
                   uint64_t *entry);

/* One call, inlined or not. The strings stand in the table, NUL-terminated. */
struct nsd_pclntab_frame {
    const char *function; /* "" unknown */
    const char *file;     /* "" unknown */
    uint32_t line;        /* 0 unknown */
    uint64_t entry;       /* of the function that has the frame */
    bool inlined;         /* into the next frame */
};
/*
 * All calls that the frame at exactly this pc stands for, innermost first, at most `most`; the
 * outermost is always among them. 0 if the pc is not in the table.
 */
unsigned pclntab__frames(const struct nsd_pclntab *table, uint64_t pc,
                         struct nsd_pclntab_frame *frames, unsigned most);

/* For naming: the tables of the Go modules of this process, registered by the Go probe. */
void pclntab__register(const struct nsd_pclntab *table, uint64_t text_start, uint64_t text_end);
const struct nsd_pclntab *pclntab__of(uint64_t pc);

#endif
