/*
 * Relative relocations of a static program ahead of its own start code, see static_pie.h. An entry
 * of DT_RELA stores a value: the program's code stores the same once more. A packed entry adds to
 * the word that stands there, so it is taken back before the program's code adds. Other types are
 * left alone (IRELATIVE calls functions of the program).
 */
#include "start/static_pie.h"

#include "names_machine.h"

#define LARGEST (UINT64_C(1) << 32) /* of a table; more is no table */

static bool read_tables(const struct nsd_module *program, struct nsd_elf_dynamic *found) {
    const Elf64_Dyn *entry = program->dynamic;

    if (program->base == 0 || entry == NULL || (uintptr_t) entry < program->start ||
        (uintptr_t) entry >= program->end)
        return false;
    elf__read_dynamic(entry, (program->end - (uintptr_t) entry) / sizeof *entry, found);
    return true;
}

/* The part of [address, address + size) that the file fills, in a segment with these flags. */
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

/* A word of a writable segment, NULL if there is none at the address. */
static uint64_t *word_at(const struct nsd_module *program, uint64_t address) {
    return address % 8 == 0 ? place(program, address, 8, PF_R | PF_W) : NULL;
}

/* What is added to each packed word. */
struct addition {
    const struct nsd_module *program;
    uint64_t value;
};

static bool add(void *context, uint64_t address) {
    const struct addition *addition = context;
    uint64_t *word = word_at(addition->program, address);

    if (word != NULL)
        *word += addition->value;
    return true;
}

static void add_packed(const struct nsd_module *program, const struct nsd_elf_dynamic *tables,
                       uint64_t value) {
    struct addition addition = {program, value};
    const uint64_t *table =
        tables->relr_size <= LARGEST ? place(program, tables->relr, tables->relr_size, PF_R) : NULL;

    if (table != NULL)
        elf__each_packed(table, tables->relr_size / sizeof *table, add, &addition);
}

void static_pie__relocate(const struct nsd_module *program) {
    struct nsd_elf_dynamic tables;
    const Elf64_Rela *entry;

    if (!read_tables(program, &tables))
        return;
    entry =
        tables.rela_size <= LARGEST ? place(program, tables.rela, tables.rela_size, PF_R) : NULL;
    for (uint64_t i = 0; entry != NULL && i < tables.rela_size / sizeof *entry; i++) {
        uint64_t *word = ELF64_R_TYPE(entry[i].r_info) == NSD_RELOCATION_RELATIVE
                             ? word_at(program, entry[i].r_offset)
                             : NULL;

        if (word != NULL)
            *word = program->base + (uint64_t) entry[i].r_addend;
    }
    add_packed(program, &tables, program->base);
}

void static_pie__undo(const struct nsd_module *program) {
    struct nsd_elf_dynamic tables;

    if (read_tables(program, &tables))
        add_packed(program, &tables, -program->base);
}
