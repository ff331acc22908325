/*
 * Symbols of an ELF module: by name out of the dynamic tables in memory (for the next definition
 * of a wrapped function), by address out of .symtab of the mapped file or .dynsym (for names in
 * reports). Called by definitions.c, naming.c and the first look-ups of libc functions, in hooks
 * and in the report. No libc, no memory of its own.
 */
#ifndef NSD_NAMES_ELF_SYMBOLS_H
#define NSD_NAMES_ELF_SYMBOLS_H

#include "names/module.h"
#include <stddef.h>
#include <stdint.h>

/* A name with its two hashes, made once for a search through all modules. */
struct nsd_elf_name {
    const char *name;
    uint32_t gnu_hash;
    uint32_t sysv_hash;
};

/* The dynamic section of something that is loaded, as pointers. */
struct nsd_elf_symbols {
    uintptr_t base;       /* load bias */
    uintptr_t start, end; /* what may be read */
    const Elf64_Sym *symbols;
    const char *strings;
    size_t strings_size;
    const uint32_t *gnu_hash;  /* NULL: none */
    const uint32_t *sysv_hash; /* NULL: none */
    const uint16_t *versions;  /* NULL: none */
};

void elf_symbols__prepare(struct nsd_elf_name *wanted, const char *name);
/* False without a symbol table. Pointers outside of [start, end) count as absent. */
bool elf_symbols__open(struct nsd_elf_symbols *table, const Elf64_Dyn *dynamic, uintptr_t base,
                       uintptr_t start, uintptr_t end);
/* Address of the default definition, an IFUNC resolved by calling it; NULL if there is none. */
void *elf_symbols__find(const struct nsd_elf_symbols *table, const struct nsd_elf_name *wanted);
/* The same in a module; NULL too where it is no longer loaded. */
void *elf_symbols__definition(const struct nsd_module *module, const struct nsd_elf_name *wanted);
/*
 * Name of the function that holds this address, NUL-terminated and cut to `size`. False if no
 * symbol covers it.
 */
bool elf_symbols__name_at(const struct nsd_module *module, uint64_t address, char *name,
                          size_t size);

#endif
