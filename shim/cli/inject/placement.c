/*
 * Placing the library, see placement.h. What is relocated is a copy of its bytes here, written over
 * the mapped ones at the end: the program's pages are touched once.
 */
#include "cli/inject/placement.h"
#include "base_machine.h"
#include "names/elf.h"
#include "names_machine.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ALIGNMENT_MOST (UINT64_C(1) << 21)

static uint64_t down(uint64_t address) {
    return address & ~(NSD_PAGE_SIZE - 1);
}

static uint64_t up(uint64_t address) {
    return down(address + NSD_PAGE_SIZE - 1);
}

static int protection_of(const Elf64_Phdr *segment) {
    return ((segment->p_flags & PF_R) != 0 ? PROT_READ : 0) |
           ((segment->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
           ((segment->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

static bool measure(struct nsd_placement *placement) {
    const Elf64_Phdr *segment;

    placement->low = UINT64_MAX;
    placement->alignment = NSD_PAGE_SIZE;
    for (unsigned i = 0; (segment = elf_image__segment(placement->shim, i)) != NULL; i++) {
        if (segment->p_type != PT_LOAD)
            continue;
        if (segment->p_memsz < segment->p_filesz || segment->p_memsz > UINT32_MAX ||
            segment->p_vaddr > UINT32_MAX || segment->p_align > ALIGNMENT_MOST ||
            (segment->p_vaddr - segment->p_offset) % NSD_PAGE_SIZE != 0 ||
            elf_image__part(placement->shim, segment->p_offset, segment->p_filesz) == NULL)
            return refusal__say(placement->refusal, "%s: its headers are damaged",
                                placement->library);
        if (down(segment->p_vaddr) < placement->low)
            placement->low = down(segment->p_vaddr);
        if (up(segment->p_vaddr + segment->p_memsz) > placement->high)
            placement->high = up(segment->p_vaddr + segment->p_memsz);
        if (segment->p_align > placement->alignment)
            placement->alignment = segment->p_align;
    }
    if (placement->high <= placement->low)
        return refusal__say(placement->refusal, "%s: its headers are damaged", placement->library);
    placement->bytes = calloc(1, placement->high - placement->low);
    if (placement->bytes == NULL)
        return refusal__say(placement->refusal, "out of memory");
    for (unsigned i = 0; (segment = elf_image__segment(placement->shim, i)) != NULL; i++) {
        if (segment->p_type == PT_LOAD)
            memcpy(placement->bytes + (segment->p_vaddr - placement->low),
                   placement->shim->bytes + segment->p_offset, segment->p_filesz);
    }
    return true;
}

static bool reserve(struct nsd_placement *placement) {
    struct nsd_remote *remote = placement->remote;
    uint64_t size = placement->high - placement->low;
    uint64_t spare = placement->alignment - NSD_PAGE_SIZE, start;
    int64_t got = remote__call(remote, SYS_mmap, 0, size + spare, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX, 0);

    if (remote__is_error(got))
        return refusal__say_call(placement->refusal, placement->remote, "reserve memory", got);
    start = ((uint64_t) got + spare) & ~(placement->alignment - 1);
    placement->base = start - placement->low;
    if (start > (uint64_t) got)
        remote__call(remote, SYS_munmap, (uint64_t) got, start - (uint64_t) got, 0, 0, 0, 0);
    if (start + size < (uint64_t) got + size + spare)
        remote__call(remote, SYS_munmap, start + size, (uint64_t) got + spare - start, 0, 0, 0, 0);
    return true;
}

static bool map_segment(const struct nsd_placement *placement, const Elf64_Phdr *segment,
                        uint64_t fd) {
    struct nsd_remote *remote = placement->remote;
    uint64_t from = placement->base + down(segment->p_vaddr);
    uint64_t file_end = placement->base + segment->p_vaddr + segment->p_filesz;
    uint64_t end = up(placement->base + segment->p_vaddr + segment->p_memsz);
    uint64_t protection = (uint64_t) protection_of(segment);
    int64_t got = 0;

    if (segment->p_filesz > 0)
        got = remote__call(remote, SYS_mmap, from, file_end - from, protection,
                           MAP_PRIVATE | MAP_FIXED, fd, down(segment->p_offset));
    else
        file_end = from;
    if (!remote__is_error(got) && end > up(file_end))
        got = remote__call(remote, SYS_mmap, up(file_end), end - up(file_end), protection,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0);
    return !remote__is_error(got) ||
           refusal__say_call(placement->refusal, placement->remote, "map the library", got);
}

/*
 * What the program has opened is what we have looked at: the path may lead elsewhere in its root,
 * or somebody has put another one there since.
 */
static bool is_library(const struct nsd_placement *placement, int64_t fd) {
    struct stat status;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int) placement->remote->pid, (int) fd);
    return (stat(path, &status) == 0 && status.st_dev == placement->shim->device &&
            status.st_ino == placement->shim->inode) ||
           refusal__say(placement->refusal, "another file is there in place of %s",
                        placement->library);
}

static bool map_library(const struct nsd_placement *placement, uint64_t path) {
    struct nsd_remote *remote = placement->remote;
    const Elf64_Phdr *segment;
    bool mapped;
    int64_t fd =
        remote__call(remote, SYS_openat, (uint64_t) AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);

    if (remote__is_error(fd))
        return refusal__say_call(placement->refusal, placement->remote, "open the library", fd);
    mapped = is_library(placement, fd);
    for (unsigned i = 0; mapped && (segment = elf_image__segment(placement->shim, i)) != NULL;
         i++) {
        if (segment->p_type == PT_LOAD)
            mapped = map_segment(placement, segment, (uint64_t) fd);
    }
    remote__call(remote, SYS_close, (uint64_t) fd, 0, 0, 0, 0, 0);
    return mapped;
}

/* ---- its relocations ---- */

/* Addresses in it are those that the library was linked to. */
static void read_dynamic(const struct nsd_elf_image *shim, struct nsd_elf_dynamic *found) {
    const Elf64_Phdr *segment;

    memset(found, 0, sizeof *found);
    for (unsigned i = 0; (segment = elf_image__segment(shim, i)) != NULL; i++) {
        const Elf64_Dyn *entry;

        if (segment->p_type != PT_DYNAMIC)
            continue;
        entry = elf_image__part(shim, segment->p_offset, segment->p_filesz);
        if (entry != NULL)
            elf__read_dynamic(entry, segment->p_filesz / sizeof *entry, found);
    }
}

/* NULL outside the library. */
static unsigned char *word_at(const struct nsd_placement *placement, uint64_t address) {
    if (address >= placement->low && address <= placement->high - sizeof(uint64_t))
        return placement->bytes + (address - placement->low);
    refusal__say(placement->refusal, "%s: its relocations are damaged", placement->library);
    return NULL;
}

static bool put_word(const struct nsd_placement *placement, uint64_t address, uint64_t word) {
    unsigned char *at = word_at(placement, address);

    if (at != NULL)
        memcpy(at, &word, sizeof word);
    return at != NULL;
}

/* The value of a symbol: weak ones that nobody defines stay null, and so libc's probes stay out. */
static bool symbol_value(const struct nsd_placement *placement, const struct nsd_elf_dynamic *dynamic,
                         uint64_t number, uint64_t *value) {
    uint64_t at = elf_image__offset(placement->shim, dynamic->symbols + number * sizeof(Elf64_Sym));
    const Elf64_Sym *symbol = elf_image__part(placement->shim, at, sizeof *symbol);

    if (symbol == NULL ||
        (symbol->st_shndx == SHN_UNDEF && ELF64_ST_BIND(symbol->st_info) != STB_WEAK))
        return refusal__say(placement->refusal, "%s wants symbols of others", placement->library);
    *value = symbol->st_shndx == SHN_UNDEF ? 0 : placement->base + symbol->st_value;
    return true;
}

static bool relocate(const struct nsd_placement *placement, const struct nsd_elf_dynamic *dynamic,
                     uint64_t table, uint64_t size) {
    const Elf64_Rela *entry =
        elf_image__part(placement->shim, elf_image__offset(placement->shim, table), size);

    if (size > 0 && entry == NULL)
        return refusal__say(placement->refusal, "%s: its relocations are damaged",
                            placement->library);
    for (uint64_t i = 0; i < size / sizeof *entry; i++) {
        uint64_t value = placement->base, addend = (uint64_t) entry[i].r_addend;

        switch (ELF64_R_TYPE(entry[i].r_info)) {
        case NSD_RELOCATION_NONE:
            continue;
        case NSD_RELOCATION_RELATIVE:
            break;
        case NSD_RELOCATION_DATA:
        case NSD_RELOCATION_JUMP:
        case NSD_RELOCATION_ABSOLUTE:
            if (!symbol_value(placement, dynamic, ELF64_R_SYM(entry[i].r_info), &value))
                return false;
            if (ELF64_R_TYPE(entry[i].r_info) != NSD_RELOCATION_ABSOLUTE)
                addend = 0;
            break;
        default:
            return refusal__say(placement->refusal, "%s has relocations of type %u",
                                placement->library, (unsigned) ELF64_R_TYPE(entry[i].r_info));
        }
        if (!put_word(placement, entry[i].r_offset, value + addend))
            return false;
    }
    return true;
}

/* One word of the packed form: the base is added to what stands at the address. */
static bool relocate_packed(void *context, uint64_t address) {
    const struct nsd_placement *placement = context;
    const unsigned char *at = word_at(placement, address);
    uint64_t word;

    if (at == NULL)
        return false;
    memcpy(&word, at, sizeof word);
    return put_word(placement, address, word + placement->base);
}

static bool relocate_all_packed(struct nsd_placement *placement,
                                const struct nsd_elf_dynamic *dynamic) {
    const uint64_t *table = elf_image__part(
        placement->shim, elf_image__offset(placement->shim, dynamic->relr), dynamic->relr_size);

    if (dynamic->relr_size > 0 && table == NULL)
        return refusal__say(placement->refusal, "%s: its relocations are damaged",
                            placement->library);
    return elf__each_packed(table, dynamic->relr_size / sizeof *table, relocate_packed, placement);
}

/* Writable segments to the end of their last page, where the file may go on with something else. */
static bool write_segments(const struct nsd_placement *placement) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(placement->shim, i)) != NULL; i++) {
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) == 0)
            continue;
        if (!remote__write(placement->remote, placement->base + segment->p_vaddr,
                           placement->bytes + (segment->p_vaddr - placement->low),
                           up(segment->p_vaddr + segment->p_filesz) - segment->p_vaddr))
            return refusal__say_call(placement->refusal, placement->remote, "be written to", 0);
    }
    return true;
}

/* What is not to be written to any more. */
static bool protect(const struct nsd_placement *placement) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(placement->shim, i)) != NULL; i++) {
        uint64_t from = placement->base + down(segment->p_vaddr);
        uint64_t end = placement->base + down(segment->p_vaddr + segment->p_memsz);
        int64_t got;

        if (segment->p_type != PT_GNU_RELRO || end <= from)
            continue;
        got = remote__call(placement->remote, SYS_mprotect, from, end - from, PROT_READ, 0, 0, 0);
        if (remote__is_error(got))
            return refusal__say_call(placement->refusal, placement->remote, "protect the library",
                                     got);
    }
    return true;
}

/* ---- the whole ---- */

static bool check(const struct nsd_placement *placement) {
    const Elf64_Ehdr *elf = elf_image__header(placement->shim);

    if (elf == NULL || elf->e_type != ET_DYN || elf->e_entry == 0 ||
        elf_image__segment(placement->shim, 0) == NULL)
        return refusal__say(placement->refusal, "%s has no entry for that", placement->library);
    return true;
}

bool placement__begin(struct nsd_placement *placement, const struct nsd_elf_image *shim,
                      const char *library, struct nsd_remote *remote, struct nsd_refusal *refusal) {
    memset(placement, 0, sizeof *placement);
    placement->shim = shim;
    placement->library = library;
    placement->remote = remote;
    placement->refusal = refusal;
    return check(placement) && measure(placement);
}

bool placement__map(struct nsd_placement *placement, uint64_t path) {
    return reserve(placement) && map_library(placement, path);
}

bool placement__relocate(struct nsd_placement *placement) {
    struct nsd_elf_dynamic dynamic;

    read_dynamic(placement->shim, &dynamic);
    return relocate(placement, &dynamic, dynamic.rela, dynamic.rela_size) &&
           relocate(placement, &dynamic, dynamic.jump, dynamic.jump_size) &&
           relocate_all_packed(placement, &dynamic) && write_segments(placement) &&
           protect(placement);
}

uint64_t placement__entry(const struct nsd_placement *placement) {
    return placement->base + elf_image__header(placement->shim)->e_entry;
}

void placement__undo(struct nsd_placement *placement) {
    if (placement->base != 0)
        remote__call(placement->remote, SYS_munmap, placement->base + placement->low,
                     placement->high - placement->low, 0, 0, 0, 0);
    placement->base = 0;
}

void placement__end(struct nsd_placement *placement) {
    free(placement->bytes);
    placement->bytes = NULL;
}
