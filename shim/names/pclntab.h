/*
 * Reads a Go program's pclntab: from a function's name to its address and from a pc to function,
 * file and line. Pure: works on bytes, in the host's memory or in a mapped file, trusts nothing
 * in them, never walks all functions to find one. Called by the Go probe and by naming.
 */
#ifndef NSD_NAMES_PCLNTAB_H
#define NSD_NAMES_PCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_pclntab {
    const uint8_t *start;  /* the header */
    size_t size;           /* bytes that may be read from start on */
    uint32_t magic;        /* 0xfffffffa, 0xfffffff0, 0xfffffff1 */
    uint32_t quantum;
    uint64_t functions, files;
    uint64_t text;         /* run-time address of the text start */
    const uint8_t *names, *units, *file_names, *pc_table, *line_table, *function_table;
};

/* False, with a short reason in *why, where the bytes are no pclntab of a known form. */
bool pclntab__open(struct nsd_pclntab *table, const uint8_t *start, size_t size, uint64_t text,
                   const char **why);
/*
 * Entry addresses of the functions with exactly this name, at most `most` (1.19+ hold two
 * syscall.Syscall). Searches the name table for the string, then the records that point to it.
 */
unsigned pclntab__find(const struct nsd_pclntab *table, const char *name, uint64_t *entries,
                       unsigned most);
/* End of the function that begins at `entry` (start of the next one). */
uint64_t pclntab__end_of(const struct nsd_pclntab *table, uint64_t entry);
/* Function, file and line at this pc. False if it is not in the table. */
bool pclntab__line(const struct nsd_pclntab *table, uint64_t pc, char *function,
                   size_t function_size, char *file, size_t file_size, uint32_t *line,
                   uint64_t *entry);

/* For naming: the tables of the Go modules of this process, registered by the Go probe. */
void pclntab__register(const struct nsd_pclntab *table, uint64_t text_start, uint64_t text_end);
const struct nsd_pclntab *pclntab__of(uint64_t pc);

#endif
