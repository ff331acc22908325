/*
 * Symbols of an ELF module: by name out of the dynamic tables in memory (for the next definition
 * of a wrapped function), by address out of .symtab of the mapped file or .dynsym (for names in
 * reports), and the build id. Called by modules.c, definitions.c and naming.c. Trusts nothing in a
 * file.
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

void elf_symbols__prepare(struct nsd_elf_name *wanted, const char *name);
/*
 * Address of the module's default definition, an IFUNC resolved by calling it; NULL if there is
 * none. The module must be loaded.
 */
void *elf_symbols__definition(const struct nsd_module *module, const struct nsd_elf_name *wanted);
/*
 * Name of the function that holds this address, NUL-terminated and cut to `size`. False if no
 * symbol covers it.
 */
bool elf_symbols__name_at(const struct nsd_module *module, uint64_t address, char *name,
                          size_t size);
/* Copies the GNU build id out of note bytes; its size, 0 if there is none. */
uint8_t elf_symbols__build_id(const uint8_t *notes, size_t size, uint8_t *build_id);

#endif
