/*
 * Segments and sections of a module, for the finder of a Go runtime: see segments.h. A page or two
 * of the file is read; no section is searched here.
 */
#include "goruntime/segments.h"
#include "base/memory.h"
#include "base/syscall.h"

size_t segments__readable_from(const struct nsd_module *module, uint64_t at, uint32_t flags) {
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        uint64_t start = module->base + header->p_vaddr;

        if (header->p_type == PT_LOAD && (header->p_flags & flags) == flags &&
            (header->p_flags & PF_R) && at >= start && at - start < header->p_filesz)
            return header->p_filesz - (at - start);
    }
    return 0;
}

bool segments__holds(const struct nsd_module *module, uint64_t at, size_t size) {
    return segments__readable_from(module, at, PF_R) >= size;
}

static void sections__take(struct nsd_go_sections *sections, const struct nsd_module *module,
                           const Elf64_Shdr *section, const char *name) {
    struct nsd_range range = {segments__address(module->base + section->sh_addr), section->sh_size};

    if (section->sh_size == 0 || section->sh_type != SHT_PROGBITS ||
        !segments__holds(module, (uintptr_t) range.start, range.size))
        return;
#define X(field, text)                                                                             \
    if (string__equal(name, text))                                                                 \
        sections->field = range;
    NSD_GO_SECTION_TABLE(X)
#undef X
}

uint64_t segments__variable(const struct nsd_module *module, uint64_t address, size_t size) {
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        uint64_t start = module->base + header->p_vaddr;

        if (header->p_type == PT_LOAD && (header->p_flags & PF_W) && address >= start &&
            address - start < header->p_memsz && header->p_memsz - (address - start) >= size)
            return address;
    }
    return 0;
}

#define SECTIONS_MOST 96
#define SECTION_NAMES_MOST 2048

void segments__sections(struct nsd_go_sections *sections, const struct nsd_module *module) {
    Elf64_Shdr table[SECTIONS_MOST];
    char names[SECTION_NAMES_MOST + 1];
    Elf64_Ehdr elf;
    long fd, got = 0, named = 0;
    unsigned count;

    memory__fill(sections, 0, sizeof *sections);
    if (!segments__holds(module, module->start, sizeof elf))
        return;
    __builtin_memcpy(&elf, (const void *) module->start, sizeof elf);
    if (!elf__is_header(&elf) || elf.e_shoff == 0 || elf.e_shnum == 0 || elf.e_shentsize != sizeof(Elf64_Shdr) || elf.e_shstrndx >= elf.e_shnum)
        return;
    fd = sys__openat(AT_FDCWD, module->is_executable ? "/proc/self/exe" : module->path,
                     O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && module->is_executable && module->path != NULL)
        fd = sys__openat(AT_FDCWD, module->path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    count = elf.e_shnum < SECTIONS_MOST ? elf.e_shnum : SECTIONS_MOST;
    if (elf.e_shstrndx < count)
        got = sys__pread((int) fd, table, count * sizeof table[0], elf.e_shoff);
    if (got == (long) (count * sizeof table[0])) {
        const Elf64_Shdr *strings = &table[elf.e_shstrndx];
        uint64_t size =
            strings->sh_size < SECTION_NAMES_MOST ? strings->sh_size : SECTION_NAMES_MOST;

        named = sys__pread((int) fd, names, size, strings->sh_offset);
    }
    sys__close((int) fd);
    if (named <= 0)
        return;
    names[named] = 0;
    for (unsigned i = 0; i < count; i++)
        if (table[i].sh_name < (uint64_t) named && (table[i].sh_flags & SHF_ALLOC))
            sections__take(sections, module, &table[i], names + table[i].sh_name);
}

struct nsd_range segments__writable_part(const struct nsd_module *module,
                                         const Elf64_Phdr *segment) {
    uint64_t start = segment->p_vaddr, end = start + segment->p_filesz;

    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W) || !(segment->p_flags & PF_R))
        return (struct nsd_range){NULL, 0};
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];

        if (header->p_type == PT_GNU_RELRO && header->p_vaddr == start &&
            header->p_memsz < end - start)
            start += header->p_memsz;
    }
    return (struct nsd_range){segments__address(module->base + start), end - start};
}
