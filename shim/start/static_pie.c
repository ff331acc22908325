/*
 * Relative relocations of a static program ahead of its own start code, see static_pie.h. Those
 * with an addend are written twice with one outcome; the packed ones add to what stands there, so
 * they are taken back. Other types (IRELATIVE calls functions) are the program's alone.
 */
#include "start/static_pie.h"
#include <elf.h>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

#define LARGEST (UINT64_C(1) << 32) /* of a table; more is no table */

struct tables {
    uint64_t rela, rela_size, relr, relr_size;
};

static bool read_tables(const struct nsd_module *program, struct tables *found) {
    const Elf64_Dyn *entry = program->dynamic;

    *found = (struct tables){0};
    if (program->base == 0 || entry == NULL || (uintptr_t) entry < program->start ||
        (uintptr_t) entry >= program->end)
        return false;
    for (; (uintptr_t) (entry + 1) <= program->end && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_RELA)
            found->rela = entry->d_un.d_val;
        else if (entry->d_tag == DT_RELASZ)
            found->rela_size = entry->d_un.d_val;
        else if (entry->d_tag == DT_RELR)
            found->relr = entry->d_un.d_val;
        else if (entry->d_tag == DT_RELRSZ)
            found->relr_size = entry->d_un.d_val;
    }
    return true;
}

/* [address, address + size) of the program, as far as its file fills a segment with these flags. */
static void *place(const struct nsd_module *program, uint64_t address, uint64_t size,
                   uint32_t flags) {
    for (unsigned i = 0; i < program->header_count; i++) {
        const Elf64_Phdr *segment = &program->headers[i];

        if (segment->p_type == PT_LOAD && (segment->p_flags & flags) == flags &&
            address >= segment->p_vaddr && size <= segment->p_filesz &&
            address - segment->p_vaddr <= segment->p_filesz - size)
            return (void *) (program->base + address);
    }
    return NULL;
}

/* A word of a writable segment; they are asked for in the order of their addresses, mostly. */
static uint64_t *word_at(const struct nsd_module *program, uint64_t address) {
    return address % 8 == 0 ? place(program, address, 8, PF_R | PF_W) : NULL;
}

static void add(const struct nsd_module *program, uint64_t address, uint64_t what) {
    uint64_t *word = word_at(program, address);

    if (word != NULL)
        *word += what;
}

/* gABI, "Relative Relocation Table": an address, or the next 63 words as bits. */
static void add_packed(const struct nsd_module *program, const struct tables *tables,
                       uint64_t what) {
    const uint64_t *entry =
        tables->relr_size <= LARGEST ? place(program, tables->relr, tables->relr_size, PF_R) : NULL;
    uint64_t next = 0;

    for (uint64_t i = 0; entry != NULL && i < tables->relr_size / sizeof *entry; i++) {
        if ((entry[i] & 1) == 0) {
            add(program, entry[i], what);
            next = entry[i] + 8;
            continue;
        }
        for (unsigned bit = 0; bit < 63; bit++) {
            if ((entry[i] >> (bit + 1) & 1) != 0)
                add(program, next + 8 * bit, what);
        }
        next += UINT64_C(63) * 8;
    }
}

void static_pie__relocate(const struct nsd_module *program) {
    struct tables tables;
    const Elf64_Rela *entry;

    if (!read_tables(program, &tables))
        return;
    entry =
        tables.rela_size <= LARGEST ? place(program, tables.rela, tables.rela_size, PF_R) : NULL;
    for (uint64_t i = 0; entry != NULL && i < tables.rela_size / sizeof *entry; i++) {
        uint64_t *word = ELF64_R_TYPE(entry[i].r_info) == R_X86_64_RELATIVE
                             ? word_at(program, entry[i].r_offset)
                             : NULL;

        if (word != NULL)
            *word = program->base + (uint64_t) entry[i].r_addend;
    }
    add_packed(program, &tables, program->base);
}

void static_pie__undo(const struct nsd_module *program) {
    struct tables tables;

    if (read_tables(program, &tables))
        add_packed(program, &tables, -program->base);
}
