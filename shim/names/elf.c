/*
 * Reading ELF, see elf.h. Called in the constructor, before an exec and in the command; every loop
 * is bounded, because a file may say anything.
 */
#include "names/elf.h"

#include "base/memory.h"
#include "names_machine.h"

/* ---- headers ---- */

bool elf__is_header(const Elf64_Ehdr *elf) {
    return memory__equal(elf->e_ident, ELFMAG, SELFMAG) && elf->e_ident[EI_CLASS] == ELFCLASS64 &&
           elf->e_phentsize == sizeof(Elf64_Phdr);
}

bool elf__is_of_machine(const Elf64_Ehdr *elf) {
    return elf__is_header(elf) && elf->e_machine == NSD_ELF_MACHINE;
}

unsigned elf__read_headers(nsd_elf_read *read, const void *context, uint64_t at, Elf64_Ehdr *elf,
                           Elf64_Phdr *headers, unsigned most) {
    if (!read(context, at, elf, sizeof *elf) || !elf__is_header(elf) || elf->e_phnum > most ||
        !read(context, at + elf->e_phoff, headers, elf->e_phnum * sizeof *headers))
        return 0;
    return elf->e_phnum;
}

/* ---- notes ---- */

/* A segment with more notes than this has no note of ours either. */
#define NOTES_MOST 64u
/* Read at once: nearly always all notes of a segment. Small, because hooks run on small stacks. */
#define NOTES_ROOM 256u

/* Both kinds have a name of four bytes. */
struct note_kind {
    uint32_t type;
    char name[4];
};

struct note_head {
    Elf64_Nhdr note;
    char name[4];
};

/* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG. */
static const struct note_kind go_build_id = {4, "Go\0"};
static const struct note_kind gnu_build_id = {NT_GNU_BUILD_ID, "GNU"};

/*
 * Copies the content of the segment's note of this kind, at most `most` bytes. False if there is
 * none; *size is how many bytes were copied.
 */
static bool find_note(const struct nsd_elf *elf, const Elf64_Phdr *segment,
                      const struct note_kind *kind, uint8_t *to, size_t most, size_t *size) {
    uint64_t align = segment->p_align == 8 ? 7 : 3, at = 0, room_at = 0, room_end = 0;
    uint64_t from = elf->is_file ? segment->p_offset : segment->p_vaddr;
    uint8_t room[NOTES_ROOM];

    for (unsigned i = 0; i < NOTES_MOST && segment->p_filesz >= sizeof(struct note_head) &&
                         at <= segment->p_filesz - sizeof(struct note_head);
         i++) {
        struct note_head head;
        uint64_t content, next;

        if (at + sizeof head > room_end) {
            uint64_t left = segment->p_filesz - at;

            room_at = at;
            room_end = at + (left < sizeof room ? left : sizeof room);
            if (!elf->read(elf->context, from + at, room, room_end - room_at))
                return false;
        }
        __builtin_memcpy(&head, room + (at - room_at), sizeof head);
        content = (at + sizeof head.note + head.note.n_namesz + align) & ~align;
        next = (content + head.note.n_descsz + align) & ~align;
        if (head.note.n_type == kind->type && head.note.n_namesz == sizeof head.name &&
            __builtin_memcmp(head.name, kind->name, sizeof head.name) == 0) {
            *size = head.note.n_descsz < most ? head.note.n_descsz : most;
            if (content + *size > room_end)
                return elf->read(elf->context, from + content, to, *size);
            memory__copy(to, room + (content - room_at), *size);
            return true;
        }
        at = next;
    }
    return false;
}

bool elf__has_go_note(const struct nsd_elf *elf) {
    size_t size;

    for (unsigned i = 0; i < elf->header_count; i++) {
        if (elf->headers[i].p_type == PT_NOTE &&
            find_note(elf, &elf->headers[i], &go_build_id, NULL, 0, &size))
            return true;
    }
    return false;
}

size_t elf__build_id(const struct nsd_elf *elf, uint8_t *build_id, size_t most) {
    size_t size = 0;

    for (unsigned i = 0; i < elf->header_count; i++) {
        if (elf->headers[i].p_type == PT_NOTE &&
            find_note(elf, &elf->headers[i], &gnu_build_id, build_id, most, &size) && size != 0)
            return size;
    }
    return 0;
}

/* ---- the dynamic section ---- */

uint64_t elf__dynamic_value(const Elf64_Dyn *entry, uint64_t most, int64_t tag) {
    for (uint64_t i = 0; i < most && entry[i].d_tag != DT_NULL; i++) {
        if (entry[i].d_tag == tag)
            return entry[i].d_un.d_val;
    }
    return 0;
}

void elf__read_dynamic(const Elf64_Dyn *entry, uint64_t most, struct nsd_elf_dynamic *dynamic) {
    memory__fill(dynamic, 0, sizeof *dynamic);
    for (uint64_t i = 0; i < most && entry[i].d_tag != DT_NULL; i++) {
        switch (entry[i].d_tag) {
#define X(field, tag)                                                                              \
    case tag:                                                                                      \
        dynamic->field = entry[i].d_un.d_val;                                                      \
        break;
            NSD_ELF_DYNAMIC_TABLE(X)
#undef X
        default:
            break;
        }
    }
}

/* ---- packed relocations ---- */

/* An even entry is an address; an odd one has a bit for each of the 63 words behind the last. */
bool elf__each_packed(const uint64_t *table, uint64_t entries,
                      bool (*each)(void *context, uint64_t address), void *context) {
    uint64_t next = 0;

    for (uint64_t i = 0; i < entries; i++) {
        if ((table[i] & 1) == 0) {
            if (!each(context, table[i]))
                return false;
            next = table[i] + sizeof(uint64_t);
            continue;
        }
        for (unsigned bit = 0; bit < 63; bit++) {
            if ((table[i] >> (bit + 1) & 1) != 0 && !each(context, next + bit * sizeof(uint64_t)))
                return false;
        }
        next += 63 * sizeof(uint64_t);
    }
    return true;
}

/* ---- sections ---- */

static bool is_within(uint64_t size, uint64_t offset, uint64_t part) {
    return offset <= size && part <= size - offset;
}

bool elf_sections__open(struct nsd_elf_sections *sections, const uint8_t *file, uint64_t size) {
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *) file;

    if (file == NULL || size < sizeof *elf || elf->e_shoff == 0 || elf->e_shoff % 8 != 0 ||
        elf->e_shentsize != sizeof(Elf64_Shdr) ||
        !is_within(size, elf->e_shoff, (uint64_t) elf->e_shnum * sizeof(Elf64_Shdr)))
        return false;
    sections->file = file;
    sections->size = size;
    sections->section = (const Elf64_Shdr *) (file + elf->e_shoff);
    sections->count = elf->e_shnum;
    sections->names = elf->e_shstrndx;
    return true;
}

const uint8_t *elf_sections__bytes(const struct nsd_elf_sections *sections,
                                   const Elf64_Shdr *section) {
    return is_within(sections->size, section->sh_offset, section->sh_size)
               ? sections->file + section->sh_offset
               : NULL;
}

const Elf64_Shdr *elf_sections__named(const struct nsd_elf_sections *sections, const char *name) {
    size_t length = string__length(name) + 1;
    const Elf64_Shdr *strings;
    const uint8_t *names;

    if (sections->names >= sections->count)
        return NULL;
    strings = &sections->section[sections->names];
    names = elf_sections__bytes(sections, strings);
    for (unsigned i = 0; names != NULL && i < sections->count; i++) {
        const Elf64_Shdr *section = &sections->section[i];

        if (is_within(strings->sh_size, section->sh_name, length) &&
            memory__equal(names + section->sh_name, name, length))
            return section;
    }
    return NULL;
}
