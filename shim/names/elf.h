/*
 * The one reader of ELF: headers, notes, the dynamic section, packed relocations and sections. It
 * reads a file through a descriptor, a mapped file, an image in this process or in another one,
 * through a function that its caller gives. Called by the module table, the Go finder, the look at
 * a program before exec, and the command. No libc, no memory, no system call of its own; nothing
 * that a file says is believed before it was checked against the room that is there.
 */
#ifndef NSD_NAMES_ELF_H
#define NSD_NAMES_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* <elf.h> of older C libraries has no DT_RELR. */
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

/* ---- headers ---- */

/* A 64-bit ELF header with program headers of the usual size. */
bool elf__is_header(const Elf64_Ehdr *elf);
/* The same, and for the machine that this was built for. */
bool elf__is_of_machine(const Elf64_Ehdr *elf);

/* Copies `size` bytes from `at` on; false if not all of them are there. */
typedef bool nsd_elf_read(const void *context, uint64_t at, void *to, size_t size);

/* Program headers, and how the bytes that they lead to are read. */
struct nsd_elf {
    const Elf64_Phdr *headers;
    unsigned header_count;
    bool is_file; /* `at` is an offset in the file; else an address as the file was linked */
    nsd_elf_read *read;
    const void *context;
};

/*
 * Reads the ELF header at `at` and the program headers that it leads to, at most `most`. Returns
 * their number; 0 if there is no ELF header or if there are more.
 */
unsigned elf__read_headers(nsd_elf_read *read, const void *context, uint64_t at, Elf64_Ehdr *elf,
                           Elf64_Phdr *headers, unsigned most);

/* ---- notes ---- */

/* Go's linker says that it made the program: note "Go", type 4. Absent if built with -buildid=. */
bool elf__has_go_note(const struct nsd_elf *elf);
/* Copies the GNU build id, at most `most` bytes of it; its size, 0 if there is none. */
size_t elf__build_id(const struct nsd_elf *elf, uint8_t *build_id, size_t most);

/* ---- the dynamic section ---- */

/* X(field, tag): entries that are asked for together. */
#define NSD_ELF_DYNAMIC_TABLE(X)                                                                   \
    X(symbols, DT_SYMTAB)                                                                          \
    X(strings, DT_STRTAB)                                                                          \
    X(strings_size, DT_STRSZ)                                                                      \
    X(gnu_hash, DT_GNU_HASH)                                                                       \
    X(sysv_hash, DT_HASH)                                                                          \
    X(versions, DT_VERSYM)                                                                         \
    X(rela, DT_RELA)                                                                               \
    X(rela_size, DT_RELASZ)                                                                        \
    X(relr, DT_RELR)                                                                               \
    X(relr_size, DT_RELRSZ)                                                                        \
    X(jump, DT_JMPREL)                                                                             \
    X(jump_size, DT_PLTRELSZ)

/* Values as they stand there; 0 where there is no such entry. */
struct nsd_elf_dynamic {
#define X(field, tag) uint64_t field;
    NSD_ELF_DYNAMIC_TABLE(X)
#undef X
};

/* The value of the first entry with this tag before DT_NULL; 0 if there is none. */
uint64_t elf__dynamic_value(const Elf64_Dyn *entry, uint64_t most, int64_t tag);
/* Reads entries up to DT_NULL, at most `most`. */
void elf__read_dynamic(const Elf64_Dyn *entry, uint64_t most, struct nsd_elf_dynamic *dynamic);

/* ---- packed relocations ---- */

/*
 * Calls `each` for every address in a DT_RELR table (gABI, "Relative Relocation Table"), in its
 * order. Stops and returns false where `each` does.
 */
bool elf__each_packed(const uint64_t *table, uint64_t entries,
                      bool (*each)(void *context, uint64_t address), void *context);

/* ---- sections ---- */

/* The section headers of a file that is mapped wholly. */
struct nsd_elf_sections {
    const uint8_t *file;
    uint64_t size;
    const Elf64_Shdr *section;
    unsigned count, names; /* names: index of the section that holds the names */
};

/* False if the file has none, or says that they are where it does not reach. */
bool elf_sections__open(struct nsd_elf_sections *sections, const uint8_t *file, uint64_t size);
/* The section's bytes in the file; NULL where the file does not hold all of them. */
const uint8_t *elf_sections__bytes(const struct nsd_elf_sections *sections,
                                   const Elf64_Shdr *section);
/* The first section of this name, NULL if there is none. */
const Elf64_Shdr *elf_sections__named(const struct nsd_elf_sections *sections, const char *name);

#endif
