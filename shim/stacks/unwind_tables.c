/*
 * Finds unwind tables, and makes an index of an .eh_frame that has none. The index has the form of
 * an .eh_frame_hdr, so that libunwind reads it like any other. Called for frames of stacks that
 * were not seen before. Reads a section of a loaded module; every step is checked, because the
 * place of the section comes from the file.
 */
#include "stacks/unwind_tables.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "names/module_file.h"

#include <linux/mman.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define MODULES_MOST 512u
#define FDES_MOST 16384u /* 256 KiB of index */

/* <dwarf.h>'s DW_EH_PE_: how pointers are written. */
#define ENCODED_ABSOLUTE 0x00u
#define ENCODED_UDATA4 0x03u
#define ENCODED_SDATA4 0x0bu
#define ENCODED_SDATA8 0x0cu
#define ENCODED_FROM_HERE 0x10u
#define ENCODED_FROM_DATA 0x30u

struct entry {
    uint64_t start; /* first pc */
    uint64_t fde;
};

/* An .eh_frame_hdr with 8-byte absolute entries. */
struct index {
    uint8_t version, frame_encoding, count_encoding, table_encoding;
    uint32_t frame[2]; /* 8 bytes, unaligned by the format */
    uint32_t count;
    struct entry entry[];
};

enum { NOT_TRIED, BEING_MADE, TRIED };
/*
 * Sequentially consistent: made once for a module. The thread that changes `state` from NOT_TRIED
 * makes the index; readers see the index whole or not at all.
 */
static struct {
    _Atomic int state;
    _Atomic(const struct index *) index;
} made[MODULES_MOST];

const uint8_t *unwind_tables__of(const struct nsd_module *module) {
    if (!module__is_loaded(module))
        return NULL;
    if (module->eh_frame_header != NULL)
        return module->eh_frame_header;
    return (const uint8_t *) atomic_load(&made[modules__number(module) - 1].index);
}

/* Whether a section is part of what the loader mapped for reading. */
static bool is_loaded(const struct nsd_module *module, const Elf64_Shdr *section) {
    for (unsigned i = 0; (section->sh_flags & SHF_ALLOC) != 0 && i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_R) != 0 &&
            section->sh_addr >= header->p_vaddr && section->sh_size <= header->p_filesz &&
            section->sh_addr - header->p_vaddr <= header->p_filesz - section->sh_size)
            return true;
    }
    return false;
}

static uint32_t word_at(const uint8_t *at) {
    uint32_t word;

    memory__copy(&word, at, sizeof(word));
    return word;
}

/* Past an unsigned LEB128, NULL past the end. */
static const uint8_t *skip_leb(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at & 0x80) != 0)
        at++;
    return at < end ? at + 1 : NULL;
}

/* How the FDEs of this CIE write their pcs; 0xff for forms that are not known here. */
static uint8_t pc_encoding(const uint8_t *cie, const uint8_t *end) {
    const uint8_t *at = cie + 9;
    const char *augmentation = (const char *) at;

    if (end - cie < 10)
        return 0xff;
    while (at < end && *at != 0)
        at++;
    if (at++ >= end)
        return 0xff;
    if (augmentation[0] == '\0')
        return ENCODED_ABSOLUTE;
    if (augmentation[0] != 'z')
        return 0xff;
    for (unsigned i = 0; i < 4 && at != NULL; i++) /* two factors, a register, the data's length */
        at = skip_leb(at, end);
    for (const char *c = augmentation + 1; at != NULL && at < end; c++) {
        static const uint8_t pointer_sizes[16] = {8, 0, 2, 4, 8, 0, 0, 0, 8, 0, 2, 4, 8, 0, 0, 0};

        switch (*c) {
        case 'R':
            return *at;
        case 'L':
            at++;
            break;
        case 'P':
            at += 1 + pointer_sizes[*at & 15];
            break;
        case 'S':
        case 'B':
            break;
        default:
            return ENCODED_ABSOLUTE;
        }
    }
    return 0xff;
}

static bool first_pc(const uint8_t *field, uint8_t encoding, uint64_t *pc) {
    uint64_t from = (encoding & 0x70) == ENCODED_FROM_HERE ? (uint64_t) (uintptr_t) field : 0;

    if ((encoding & 0xf0 & ~ENCODED_FROM_HERE) != 0)
        return false;
    switch (encoding & 15) {
    case ENCODED_ABSOLUTE:
    case ENCODED_SDATA8:
    case 0x04:
        memory__copy(pc, field, 8);
        break;
    case ENCODED_UDATA4:
        *pc = word_at(field);
        break;
    case ENCODED_SDATA4:
        *pc = (uint64_t) (int64_t) (int32_t) word_at(field);
        break;
    default:
        return false;
    }
    *pc += from;
    return true;
}

/* Counts the entries of the section, and lists the first `most` of them where `entry` is given. */
static uint32_t list(const uint8_t *start, const uint8_t *end, struct entry *entry, uint32_t most) {
    uint32_t count = 0;

    for (const uint8_t *at = start; end - at >= 8;) {
        uint32_t length = word_at(at), back = word_at(at + 4);
        const uint8_t *next = at + 4 + length, *cie = at + 4 - back;
        uint64_t pc;

        if (length == 0 || length >= 0xfffffff0u || length > (size_t) (end - at - 4))
            break;
        if (back != 0 && length >= 20 && back <= (size_t) (at + 4 - start)) {
            size_t cie_length = (size_t) word_at(cie) + 4;

            if (cie_length <= (size_t) (end - cie) && word_at(cie + 4) == 0 &&
                first_pc(at + 8, pc_encoding(cie, cie + cie_length), &pc)) {
                if (entry != NULL && count < most) {
                    entry[count].start = pc;
                    entry[count].fde = (uint64_t) (uintptr_t) at;
                }
                count++;
            }
        }
        at = next;
    }
    return count;
}

/* Heap sort: in place, and as fast for entries that are nearly in order, as they mostly are. */
static void sift(struct entry *entry, uint32_t from, uint32_t count) {
    struct entry moved = entry[from];

    for (uint32_t child = 2 * from + 1; child < count; child = 2 * from + 1) {
        if (child + 1 < count && entry[child + 1].start > entry[child].start)
            child++;
        if (entry[child].start <= moved.start)
            break;
        entry[from] = entry[child];
        from = child;
    }
    entry[from] = moved;
}

static void sort(struct entry *entry, uint32_t count) {
    for (uint32_t i = count / 2; i-- > 0;)
        sift(entry, i, count);
    for (uint32_t last = count; last-- > 1;) {
        struct entry largest = entry[0];

        entry[0] = entry[last];
        entry[last] = largest;
        sift(entry, 0, last);
    }
}

static const struct index *make_index(struct nsd_module *module) {
    struct nsd_elf_sections sections;
    const Elf64_Shdr *section;
    const uint8_t *start, *end;
    struct index *index;
    uint64_t frame;
    uint32_t count;
    long mapped;

    module_file__map(module);
    if (!elf_sections__open(&sections, module__file(module), module->file_size))
        return NULL;
    section = elf_sections__named(&sections, ".eh_frame");
    if (section == NULL || !is_loaded(module, section))
        return NULL;
    start = (const uint8_t *) (module->base + section->sh_addr);
    end = start + section->sh_size;
    count = list(start, end, NULL, 0);
    if (count == 0 || count > FDES_MOST)
        return NULL;
    mapped = sys__mmap(NULL, sizeof(*index) + count * sizeof(struct entry), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (SYS_IS_ERROR(mapped))
        return NULL;
    index = (struct index *) mapped;
    index->version = 1;
    index->frame_encoding = ENCODED_ABSOLUTE;
    index->count_encoding = ENCODED_UDATA4;
    index->table_encoding = ENCODED_SDATA8;
    frame = (uint64_t) (uintptr_t) start;
    memory__copy(index->frame, &frame, sizeof(frame));
    index->count = count;
    list(start, end, index->entry, count);
    sort(index->entry, count);
    return index;
}

void unwind_tables__prepare(struct nsd_module *module) {
    int not_tried = NOT_TRIED;
    unsigned number = modules__number(module);

    if (number == 0 || number > MODULES_MOST || module->eh_frame_header != NULL ||
        module->is_shim || sys__is_forbidden() || !module__is_loaded(module) ||
        !atomic_compare_exchange_strong(&made[number - 1].state, &not_tried, BEING_MADE))
        return;
    atomic_store(&made[number - 1].index, make_index(module));
    atomic_store(&made[number - 1].state, TRIED);
}

/* ---- looking into an index ---- */

/* Two words of 4 bytes, each counted from the start of the index: what GNU ld and lld write. */
struct short_entry {
    int32_t start, fde;
};

#define SHORT_HEADER 12u /* version, three encodings, place of the .eh_frame, count */

static bool is_short_index(const uint8_t *header, size_t size) {
    return size >= SHORT_HEADER && header[0] == 1 &&
           header[1] == (ENCODED_FROM_HERE | ENCODED_SDATA4) && header[2] == ENCODED_UDATA4 &&
           header[3] == (ENCODED_FROM_DATA | ENCODED_SDATA4);
}

static struct short_entry short_entry_at(const uint8_t *header, uint32_t index) {
    struct short_entry entry;

    memory__copy(&entry, header + SHORT_HEADER + (size_t) index * sizeof entry, sizeof entry);
    return entry;
}

/* The last of the entries that start at or below the pc; false if it is below all of them. */
static bool nearest_entry(const uint8_t *header, uint32_t count, int64_t pc,
                          struct short_entry *found) {
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (short_entry_at(header, middle).start <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    *found = short_entry_at(header, low - 1);
    return true;
}

/* Size of the function that this FDE describes; false for a form that is not known here. */
static bool function_size(const struct nsd_module *module, const uint8_t *fde, uint32_t *size) {
    const uint8_t *start = (const uint8_t *) module->start, *end = (const uint8_t *) module->end;
    const uint8_t *cie;
    uint32_t back;

    if (fde < start || fde >= end || end - fde < 16)
        return false;
    back = word_at(fde + 4);
    if (back == 0 || back > (size_t) (fde + 4 - start))
        return false;
    cie = fde + 4 - back;
    if (word_at(cie) > (size_t) (end - cie - 4) ||
        pc_encoding(cie, cie + 4 + word_at(cie)) != (ENCODED_FROM_HERE | ENCODED_SDATA4))
        return false;
    *size = word_at(fde + 12);
    return true;
}

bool unwind_tables__covers(const struct nsd_module *module, uintptr_t pc) {
    const uint8_t *header = module->eh_frame_header;
    struct short_entry entry;
    uint32_t count, size;
    int64_t from;

    if (header == NULL || !is_short_index(header, module->eh_frame_header_size))
        return true;
    count = word_at(header + 8);
    from = (int64_t) (pc - (uintptr_t) header);
    if (count == 0 ||
        (module->eh_frame_header_size - SHORT_HEADER) / sizeof(struct short_entry) < count)
        return true;
    if (!nearest_entry(header, count, from, &entry))
        return false;
    return !function_size(module, header + entry.fde, &size) || from - entry.start < size;
}
