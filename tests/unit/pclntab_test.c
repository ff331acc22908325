/*
 * The reader of Go's tables on each executable given: every function that the file's symbol table
 * knows is found under its name and ends where the next one begins, every pc of the text has a
 * name, and no broken table makes it crash or search without end. With --lines FILE it prints a
 * sample of "pc function file:line" instead, innermost call first, for a comparison with
 * `go tool addr2line`.
 */
#include "elf_image.h"
#include "probes/go/runtime.h"

#include <stdio.h>
#include <time.h>

static int failures;
static const char *subject;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s: %s:%d: %s\n", subject, __FILE__, __LINE__, #condition);                    \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

static double seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Every Go function of .symtab, under its name without the calling convention. */
static void check_names(const struct elf_image *image, const struct nsd_go_runtime *runtime) {
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *) image->file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *) (image->file + elf->e_shoff);
    unsigned checked = 0, missed = 0;

    for (unsigned i = 0; elf->e_shoff != 0 && i < elf->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Sym *symbols = (const Elf64_Sym *) (image->file + sections[i].sh_offset);
        const char *names = (const char *) image->file + sections[sections[i].sh_link].sh_offset;
        size_t total = sections[i].sh_size / sizeof *symbols;

        for (size_t k = 0; k < total; k += 1 + total / 4000) {
            uint64_t address = image->module.base + symbols[k].st_value;
            uint64_t entries[NSD_PCLNTAB_ENTRIES];
            char name[512], *suffix;
            unsigned found;
            bool same = false;

            if (ELF64_ST_TYPE(symbols[k].st_info) != STT_FUNC || symbols[k].st_size == 0 ||
                address < runtime->text_start || address >= runtime->text_end)
                continue;
            snprintf(name, sizeof name, "%s", names + symbols[k].st_name);
            /* Names of type arguments are shortened in pclntab; pieces of C are not in it. */
            suffix = strstr(name, ".abi");
            if (suffix != NULL &&
                (strcmp(suffix, ".abi0") == 0 || strcmp(suffix, ".abiinternal") == 0))
                *suffix = 0;
            if (strchr(name, '.') == NULL || strchr(name, '[') != NULL || name[0] == '_' ||
                strstr(name, "(.text") != NULL)
                continue;
            found = pclntab__find(&runtime->table, name, entries, NSD_PCLNTAB_ENTRIES);
            for (unsigned e = 0; e < found; e++)
                same = same || entries[e] == address;
            checked++;
            if (!same) {
                missed++;
                if (missed < 5)
                    printf("%s: %s at %#lx was not found (%u of the name)\n", subject, name,
                           (unsigned long) address, found);
            } else {
                CHECK(pclntab__end_of(&runtime->table, address) >= address + symbols[k].st_size);
            }
        }
    }
    /* The linker's own (go:buildid, type:.eq) go by other names there. */
    CHECK(missed * 100 <= checked);
    if (checked != 0)
        printf("%s: %u names, %u not found\n", subject, checked, missed);
}

static void check_lines(const struct nsd_go_runtime *runtime) {
    uint64_t step = (runtime->text_end - runtime->text_start) / 20000 + 1;
    unsigned looked = 0, named = 0, lined = 0;

    for (uint64_t pc = runtime->text_start; pc < runtime->text_end; pc += step) {
        struct nsd_pclntab_frame frames[16];
        char function[256], file[512];
        uint32_t line;
        uint64_t entry;
        unsigned count = pclntab__frames(&runtime->table, pc, frames, 16);

        looked++;
        if (count == 0)
            continue;
        CHECK(!frames[count - 1].inlined);
        CHECK(pclntab__line(&runtime->table, pc, function, sizeof function, file, sizeof file,
                            &line, &entry));
        CHECK(entry == frames[count - 1].entry);
        CHECK(line == frames[count - 1].line || strstr(frames[count - 1].function, "wrap") != NULL);
        named += function[0] != 0;
        lined += line != 0 && file[0] != 0;
    }
    CHECK(named * 100 >= looked * 99);
    CHECK(lined * 100 >= looked * 50);
    CHECK(!pclntab__line(&runtime->table, runtime->text_start - 1, NULL, 0, NULL, 0, NULL, NULL));
    CHECK(!pclntab__line(&runtime->table, UINT64_MAX, NULL, 0, NULL, 0, NULL, NULL));
}

static uint64_t random_state = 0x9e3779b97f4a7c15ull;
static uint64_t draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Everything that is asked of a table, of one that is broken. The answers do not matter. */
static void use(const uint8_t *bytes, size_t size, uint64_t text, size_t length) {
    struct nsd_pclntab table;
    struct nsd_pclntab_frame frames[4];
    uint64_t entries[4], start, end;
    const char *why = NULL;

    if (!pclntab__open(&table, bytes, size, text, &why)) {
        CHECK(why != NULL);
        return;
    }
    table.function_data = (struct nsd_pclntab_part){bytes, size};
    pclntab__range(&table, &start, &end);
    pclntab__find(&table, "main.main", entries, 4);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t pc = text + draw() % length;

        pclntab__frames(&table, pc, frames, 4);
        pclntab__end_of(&table, pc);
    }
}

/*
 * Flips bytes of a copy that ends at an unreadable page: reading over the end is a crash. Most
 * flips go to the header and to the front of the parts, where they do the most.
 */
static void check_broken(const struct nsd_go_runtime *runtime, unsigned rounds) {
    const struct nsd_pclntab *whole = &runtime->table;
    size_t size = (size_t) (whole->records.start - whole->start) + whole->records.size;
    size_t room = (size + 4095) & ~(size_t) 4095;
    uint8_t *pages =
        mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *copy = pages + room - size;
    size_t length = runtime->text_end - runtime->text_start;
    const uint8_t *parts[] = {whole->start,           whole->names.start,
                              whole->units.start,     whole->file_names.start,
                              whole->pc_values.start, whole->records.start};
    double began = seconds();

    mprotect(pages + room, 4096, PROT_NONE);
    memcpy(copy, whole->start, size);
    use(copy, size, runtime->text_start, length);
    for (unsigned round = 0; round < rounds && seconds() - began < 10; round++) {
        size_t at[8];
        uint8_t was[8];

        for (unsigned i = 0; i < 8; i++) {
            size_t part = (size_t) (parts[draw() % 6] - whole->start);

            at[i] = draw() % 4 == 0 ? draw() % size : part + draw() % 80;
            if (i >= 1 + round % 8 || at[i] >= size)
                at[i] = size - 1;
            was[i] = copy[at[i]];
            copy[at[i]] = draw() % 3 ? (uint8_t) draw() : draw() % 2 ? 0xff : 0;
        }
        use(copy, size, runtime->text_start, length);
        for (unsigned i = 8; i-- > 0;)
            copy[at[i]] = was[i];
    }
    /* Cut off at any place. */
    for (unsigned round = 0; round < 200; round++) {
        size_t rest = round < 100 ? round : draw() % size;

        memmove(pages + room - rest, whole->start, rest);
        use(pages + room - rest, rest, runtime->text_start, length);
    }
    munmap(pages, room + 4096);
    printf("%s: broken tables took %.1f s\n", subject, seconds() - began);
}

static void print_lines(const struct nsd_go_runtime *runtime) {
    for (uint64_t pc = runtime->text_start; pc < runtime->text_end; pc += 97) {
        struct nsd_pclntab_frame frames[16];
        unsigned count = pclntab__frames(&runtime->table, pc, frames, 16);

        if (count == 0)
            continue;
        printf("%#lx\t%s\t%s:%u", (unsigned long) (pc - runtime->module->base),
               frames[count - 1].function, frames[0].file, frames[0].line);
        for (unsigned i = 0; i < count; i++)
            printf("\t%s %s:%u", frames[i].function, frames[i].file, frames[i].line);
        printf("\n");
    }
}

int main(int count, char **arguments) {
    bool lines = false;

    if (count < 2) {
        printf("no executables were given\n");
        return 77;
    }
    for (int i = 1; i < count; i++) {
        struct elf_image image;
        struct nsd_go_runtime runtime;
        double began;

        subject = arguments[i];
        if (strcmp(subject, "--lines") == 0) {
            lines = true;
            continue;
        }
        if (elf_image__load(&image, subject) != 0) {
            printf("%s cannot be mapped\n", subject);
            return 1;
        }
        began = seconds();
        CHECK(runtime__find(&image.module, &runtime) && runtime.found);
        if (runtime.found && lines) {
            print_lines(&runtime);
        } else if (runtime.found) {
            printf("%s: found in %.3f ms\n", subject, (seconds() - began) * 1e3);
            check_names(&image, &runtime);
            check_lines(&runtime);
            check_broken(&runtime, 20000);
        }
        elf_image__drop(&image);
    }
    return failures != 0;
}
