/*
 * The reader of ELF over bytes that are made here: notes in every position that its window of 256
 * bytes knows, headers that lie, packed relocations, the dynamic section, sections by name.
 */
#include "names/elf.h"
#include "names_machine.h"

#include <stdio.h>
#include <string.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static uint8_t file[8192];
static size_t file_size;

static bool read_file(const void *context, uint64_t at, void *to, size_t size) {
    (void) context;
    if (at > file_size || size > file_size - at)
        return false;
    memcpy(to, file + at, size);
    return true;
}

/* ---- notes ---- */

static size_t put_note(size_t at, size_t align, const char *name, uint32_t name_size, uint32_t type,
                       const void *content, uint32_t size) {
    Elf64_Nhdr note = {name_size, size, type};

    memcpy(file + at, &note, sizeof note);
    memcpy(file + at + sizeof note, name, name_size);
    at = (at + sizeof note + name_size + align - 1) & ~(align - 1);
    if (size > 0)
        memcpy(file + at, content, size);
    return (at + size + align - 1) & ~(align - 1);
}

/* A segment of notes at 512: `before` strangers, then a build id of Go and one of GNU. */
static Elf64_Phdr notes_of(unsigned before, size_t align) {
    static const char stranger[40] = "nothing that anybody asks for";
    size_t at = 512;

    memset(file, 0, sizeof file);
    for (unsigned i = 0; i < before; i++)
        at = put_note(at, align, "XYZ", 4, 3 + i % 2, stranger, i % 2 ? 40 : 17);
    at = put_note(at, align, "Go\0", 4, 4, "go/build/id", 11);
    at = put_note(at, align, "GNU", 4, NT_GNU_BUILD_ID, "0123456789abcdefghij", 20);
    file_size = at;
    return (Elf64_Phdr){.p_type = PT_NOTE,
                        .p_offset = 512,
                        .p_vaddr = 1 << 20,
                        .p_filesz = at - 512,
                        .p_align = align};
}

static void notes(void) {
    uint8_t id[64];

    for (size_t align = 4; align <= 8; align += 4) {
        for (unsigned before = 0; before < 40; before++) {
            Elf64_Phdr segment = notes_of(before, align);
            struct nsd_elf elf = {&segment, 1, true, read_file, NULL};

            CHECK(elf__has_go_note(&elf));
            memset(id, 0, sizeof id);
            CHECK(elf__build_id(&elf, id, sizeof id) == 20);
            CHECK(memcmp(id, "0123456789abcdefghij", 21) == 0);
            CHECK(elf__build_id(&elf, id, 8) == 8);
        }
    }
    /* More notes than are looked at. */
    Elf64_Phdr segment = notes_of(100, 4);
    struct nsd_elf elf = {&segment, 1, true, read_file, NULL};
    CHECK(!elf__has_go_note(&elf) && elf__build_id(&elf, id, sizeof id) == 0);
    /* Cut within the last note, at every byte; and one whose sizes lead out of the segment. */
    for (size_t cut = 1; cut <= 20; cut++) {
        segment = notes_of(1, 4);
        file_size -= cut;
        segment.p_filesz -= cut;
        elf__build_id(&elf, id, sizeof id);
        CHECK(elf__has_go_note(&elf));
    }
    segment = notes_of(0, 4);
    memset(file + 512, 0xff, 8);
    CHECK(!elf__has_go_note(&elf) && elf__build_id(&elf, id, sizeof id) == 0);
    segment.p_type = PT_LOAD;
    CHECK(!elf__has_go_note(&elf));
    /* The name must be there, not only the type. */
    segment = notes_of(0, 4);
    memcpy(file + 512 + sizeof(Elf64_Nhdr), "Gox", 4);
    CHECK(!elf__has_go_note(&elf));
    /* An image is read by addresses, which this file does not have. */
    segment = notes_of(0, 4);
    elf.is_file = false;
    CHECK(!elf__has_go_note(&elf));
}

/* ---- headers ---- */

static void headers(void) {
    Elf64_Phdr wanted[3] = {{.p_type = PT_LOAD}, {.p_type = PT_NOTE}, {.p_type = PT_TLS}}, got[3];
    Elf64_Ehdr good = {.e_phoff = 128,
                       .e_phnum = 3,
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_machine = NSD_ELF_MACHINE},
               elf, bad;

    memcpy(good.e_ident, ELFMAG, SELFMAG);
    good.e_ident[EI_CLASS] = ELFCLASS64;
    memset(file, 0, sizeof file);
    file_size = 128 + sizeof wanted;
    memcpy(file, &good, sizeof good);
    memcpy(file + 128, wanted, sizeof wanted);
    CHECK(elf__is_header(&good) && elf__is_of_machine(&good));
    CHECK(elf__read_headers(read_file, NULL, 0, &elf, got, 3) == 3);
    CHECK(memcmp(got, wanted, sizeof got) == 0 && elf.e_phoff == 128);
    CHECK(elf__read_headers(read_file, NULL, 0, &elf, got, 2) == 0);
    CHECK(elf__read_headers(read_file, NULL, 8, &elf, got, 3) == 0);
    file_size--;
    CHECK(elf__read_headers(read_file, NULL, 0, &elf, got, 3) == 0);
    bad = good;
    bad.e_machine = EM_386;
    CHECK(elf__is_header(&bad) && !elf__is_of_machine(&bad));
    bad = good;
    bad.e_ident[EI_CLASS] = ELFCLASS32;
    CHECK(!elf__is_header(&bad));
    bad = good;
    bad.e_phentsize = 32;
    CHECK(!elf__is_header(&bad));
    bad = good;
    bad.e_ident[1] = 'e';
    CHECK(!elf__is_header(&bad));
}

/* ---- tables ---- */

static void dynamic_section(void) {
    const Elf64_Dyn entries[] = {
        {DT_NEEDED, {1}},  {DT_STRTAB, {0x100}}, {DT_GNU_HASH, {0x200}}, {DT_RELR, {0x300}},
        {DT_RELRSZ, {16}}, {DT_DEBUG, {0x400}},  {DT_NULL, {0}},         {DT_SYMTAB, {0x500}},
    };
    struct nsd_elf_dynamic dynamic;

    elf__read_dynamic(entries, 8, &dynamic);
    CHECK(dynamic.strings == 0x100 && dynamic.gnu_hash == 0x200 && dynamic.relr == 0x300 &&
          dynamic.relr_size == 16 && dynamic.symbols == 0 && dynamic.rela == 0);
    elf__read_dynamic(entries, 2, &dynamic);
    CHECK(dynamic.strings == 0x100 && dynamic.gnu_hash == 0);
    CHECK(elf__dynamic_value(entries, 8, DT_DEBUG) == 0x400);
    CHECK(elf__dynamic_value(entries, 5, DT_DEBUG) == 0);
    CHECK(elf__dynamic_value(entries, 8, DT_SYMTAB) == 0);
}

struct addresses {
    uint64_t address[200];
    unsigned count, most;
};

static bool note_address(void *context, uint64_t address) {
    struct addresses *seen = context;

    if (seen->count == seen->most)
        return false;
    seen->address[seen->count++] = address;
    return true;
}

static void packed_relocations(void) {
    /* 0x1000; of the next 63 words the first and the last; of the 63 after that the second. */
    const uint64_t table[] = {0x1000, 1 | 1ull << 1 | 1ull << 63, 1 | 1ull << 2, 0x9000};
    const uint64_t wanted[] = {0x1000, 0x1008, 0x1008 + 62 * 8, 0x1008 + 64 * 8, 0x9000};
    struct addresses seen = {.most = 200};

    CHECK(elf__each_packed(table, 4, note_address, &seen));
    CHECK(seen.count == 5 && memcmp(seen.address, wanted, sizeof wanted) == 0);
    seen = (struct addresses){.most = 2};
    CHECK(!elf__each_packed(table, 4, note_address, &seen) && seen.count == 2);
    CHECK(elf__each_packed(NULL, 0, note_address, &seen));
}

static void sections_by_name(void) {
    static const char names[] = "\0.text\0.eh_frame";
    Elf64_Ehdr elf = {
        .e_shoff = 1024, .e_shnum = 3, .e_shentsize = sizeof(Elf64_Shdr), .e_shstrndx = 1};
    Elf64_Shdr section[3] = {
        {.sh_name = 1, .sh_offset = 64, .sh_size = 8},
        {.sh_name = 0, .sh_offset = 512, .sh_size = sizeof names},
        {.sh_name = 7, .sh_offset = 2048, .sh_size = 64},
    };
    struct nsd_elf_sections sections;

    memset(file, 0, sizeof file);
    memcpy(file, &elf, sizeof elf);
    memcpy(file + 512, names, sizeof names);
    memcpy(file + 1024, section, sizeof section);
    CHECK(elf_sections__open(&sections, file, 2048) && sections.count == 3);
    CHECK(elf_sections__named(&sections, ".eh_frame") == &sections.section[2]);
    CHECK(elf_sections__named(&sections, ".eh_fram") == NULL);
    CHECK(elf_sections__named(&sections, ".text") == &sections.section[0]);
    CHECK(elf_sections__bytes(&sections, &sections.section[0]) == file + 64);
    CHECK(elf_sections__bytes(&sections, &sections.section[2]) == NULL);
    CHECK(!elf_sections__open(&sections, file, 1024 + sizeof section - 1));
    CHECK(!elf_sections__open(&sections, NULL, 0));
    ((Elf64_Ehdr *) file)->e_shstrndx = 3;
    CHECK(elf_sections__open(&sections, file, 2048));
    CHECK(elf_sections__named(&sections, ".text") == NULL);
    ((Elf64_Ehdr *) file)->e_shoff = 1020;
    CHECK(!elf_sections__open(&sections, file, 2048));
}

int main(void) {
    notes();
    headers();
    dynamic_section();
    packed_relocations();
    sections_by_name();
    printf("%d failures\n", failures);
    return failures != 0;
}
