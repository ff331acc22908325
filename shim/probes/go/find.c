/*
 * Finds the Go runtime of a module: is it Go at all, where are pclntab and moduledata, which
 * release, where are the functions and the system call instructions. Called once by go__begin, in
 * the constructor: a program that is not Go pays for a look at its program headers, a Go program of
 * any size for the section headers of its file and a few pages of its tables.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/go/code.h"
#include "probes/go/runtime.h"

struct nsd_go_runtime nsd_go_runtime;

struct range {
    const uint8_t *start;
    size_t size;
};

/* runtime/symtab.go, type moduledata, 1.16 to 1.26. */
#define MODULE_NAMES 0x08
#define MODULE_FUNCTIONS 0x80
#define MODULE_MINPC 0xa0
#define MODULE_MAXPC 0xa8
#define MODULE_TEXT 0xb0
#define MODULE_ETEXT 0xb8
#define MODULE_GOFUNC_18 0x130 /* 1.18, 1.19; nothing before */
#define MODULE_GOFUNC_20 0x140 /* from 1.20 on, after covctrs and ecovctrs */
#define MODULE_READ 0x148

#define PAGE 4096u

static uint64_t load64(const uint8_t *from) {
    uint64_t value;

    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static const uint8_t *address(uint64_t value) {
    return (const uint8_t *) (uintptr_t) value;
}

/* What is left of the segment's file part from this address on; 0 outside of all segments. */
static size_t readable_from(const struct nsd_module *module, uint64_t at, uint32_t flags) {
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        uint64_t start = module->base + header->p_vaddr;

        if (header->p_type == PT_LOAD && (header->p_flags & flags) == flags &&
            (header->p_flags & PF_R) && at >= start && at - start < header->p_filesz)
            return header->p_filesz - (at - start);
    }
    return 0;
}

static bool within(const struct nsd_module *module, uint64_t at, size_t size) {
    return readable_from(module, at, PF_R) >= size;
}

/* ---- is it Go ---- */

/* The note that Go's linker writes ("Go", type 4), unless -buildid= was empty. */
static bool has_go_note(const struct nsd_module *module) {
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        const uint8_t *at = address(module->base + header->p_vaddr);
        size_t left = header->p_filesz;

        if (header->p_type != PT_NOTE || !within(module, (uintptr_t) at, left))
            continue;
        while (left >= sizeof(Elf64_Nhdr)) {
            Elf64_Nhdr note;
            size_t align = header->p_align == 8 ? 8 : 4;

            __builtin_memcpy(&note, at, sizeof note);
            if (note.n_namesz > left || note.n_descsz > left)
                break;
            size_t name = (sizeof note + note.n_namesz + align - 1) & ~(align - 1);
            size_t whole = (name + note.n_descsz + align - 1) & ~(align - 1);

            if (note.n_type == 4 && note.n_namesz == 4 && left >= sizeof note + 4 &&
                memory__equal(at + sizeof note, "Go\0", 4))
                return true;
            if (whole > left)
                break;
            at += whole;
            left -= whole;
        }
    }
    return false;
}

/* Every Go program keeps g in a thread-local word of its own; few other programs have one. */
static bool has_thread_local(const struct nsd_module *module) {
    for (unsigned i = 0; i < module->header_count; i++)
        if (module->headers[i].p_type == PT_TLS)
            return true;
    return false;
}

/* ---- sections, by the file's headers ---- */

/* X(field, name of the section) */
#define SECTION_TABLE(X)                                                                           \
    X(pclntab, ".gopclntab")                                                                       \
    X(pclntab_pie, ".data.rel.ro.gopclntab")                                                       \
    X(module, ".go.module")                                                                        \
    X(no_pointers, ".noptrdata")                                                                   \
    X(build_info, ".go.buildinfo")

struct sections {
#define X(field, name) struct range field;
    SECTION_TABLE(X)
#undef X
};

static void sections__take(struct sections *sections, const struct nsd_module *module,
                           const Elf64_Shdr *section, const char *name) {
    struct range range = {address(module->base + section->sh_addr), section->sh_size};

    if (section->sh_size == 0 || section->sh_type != SHT_PROGBITS ||
        !within(module, (uintptr_t) range.start, range.size))
        return;
#define X(field, text)                                                                             \
    if (string__equal(name, text))                                                                 \
        sections->field = range;
    SECTION_TABLE(X)
#undef X
}

#define SECTIONS_MOST 96
#define SECTION_NAMES_MOST 2048

/* Reads them from the file; all empty where that cannot be had. Four system calls. */
static void sections__read(struct sections *sections, const struct nsd_module *module) {
    Elf64_Shdr table[SECTIONS_MOST];
    char names[SECTION_NAMES_MOST + 1];
    Elf64_Ehdr elf;
    long fd, got = 0, named = 0;
    unsigned count;

    memory__fill(sections, 0, sizeof *sections);
    if (!within(module, module->start, sizeof elf))
        return;
    __builtin_memcpy(&elf, (const void *) module->start, sizeof elf);
    if (!memory__equal(elf.e_ident, ELFMAG, SELFMAG) || elf.e_shoff == 0 || elf.e_shnum == 0 ||
        elf.e_shentsize != sizeof(Elf64_Shdr) || elf.e_shstrndx >= elf.e_shnum)
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

/*
 * What a program may write of this segment and has in its file, without what the loader makes
 * read-only when it has relocated it: moduledata and the version stand behind that.
 */
static struct range writable_part(const struct nsd_module *module, const Elf64_Phdr *segment) {
    uint64_t start = segment->p_vaddr, end = start + segment->p_filesz;

    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W) || !(segment->p_flags & PF_R))
        return (struct range){NULL, 0};
    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];

        if (header->p_type == PT_GNU_RELRO && header->p_vaddr == start &&
            header->p_memsz < end - start)
            start += header->p_memsz;
    }
    return (struct range){address(module->base + start), end - start};
}

/* ---- moduledata and pclntab ---- */

static bool known_magic(const uint8_t *at) {
    uint32_t magic;

    __builtin_memcpy(&magic, at, sizeof magic);
    return magic == 0xfffffffa || magic == 0xfffffff0 || magic == 0xfffffff1;
}

/*
 * Whether these words are a moduledata: a pointer to a pclntab, the name table right behind its
 * header, the function table within it, and a text that the table's ends agree with.
 */
static bool take_module(struct nsd_go_runtime *runtime, const uint8_t *at) {
    const struct nsd_module *module = runtime->module;
    uint64_t header = load64(at), names = load64(at + MODULE_NAMES);
    uint64_t first, last;
    size_t size;

    /* Cheap and rarely true, before anything else is touched. */
    if (header < module->start || names <= header || names - header > 0x80 ||
        load64(at + MODULE_NAMES + 8) != load64(at + MODULE_NAMES + 16))
        return false;
    size = readable_from(module, header, PF_R);
    if (size < 0x80 || !known_magic(address(header)))
        return false;
    runtime->text_start = load64(at + MODULE_TEXT);
    runtime->text_end = load64(at + MODULE_ETEXT);
    if (!pclntab__open(&runtime->table, address(header), size, runtime->text_start, &runtime->why))
        return false;
    if (load64(at + MODULE_FUNCTIONS) != (uintptr_t) runtime->table.records.start) {
        runtime->why = "pclntab and moduledata name different function tables";
        return false;
    }
    pclntab__range(&runtime->table, &first, &last);
    if (first != load64(at + MODULE_MINPC) || last != load64(at + MODULE_MAXPC) || first >= last ||
        first < runtime->text_start || last > runtime->text_end ||
        runtime->text_start >= runtime->text_end ||
        readable_from(module, runtime->text_start, PF_X) <
            runtime->text_end - runtime->text_start) {
        runtime->why = "pclntab and moduledata disagree about the text";
        return false;
    }
    runtime->moduledata = (uintptr_t) at;
    runtime->why = NULL;
    return true;
}

static bool scan_for_module(struct nsd_go_runtime *runtime, struct range range) {
    const uint8_t *at = address(((uintptr_t) range.start + 7) & ~(uintptr_t) 7);

    if (range.size < MODULE_READ + 8)
        return false;
    for (const uint8_t *end = range.start + range.size - MODULE_READ; at <= end; at += 8)
        if (take_module(runtime, at))
            return true;
    return false;
}

static bool find_module(struct nsd_go_runtime *runtime, const struct sections *sections) {
    const struct nsd_module *module = runtime->module;

    runtime->why = "no pclntab was found";
    if (scan_for_module(runtime, sections->module) ||
        scan_for_module(runtime, sections->no_pointers))
        return true;
    /* No section headers, or a linker that named things otherwise: all that is writable. */
    for (unsigned i = 0; i < module->header_count; i++) {
        if (scan_for_module(runtime, writable_part(module, &module->headers[i])))
            return true;
    }
    return false;
}

/* Where the inline trees lie: offsets in the table are relative to it. */
static void find_function_data(struct nsd_go_runtime *runtime) {
    const uint8_t *module = address(runtime->moduledata);
    uint64_t at;

    switch (runtime->table.magic) {
    case 0xfffffff0:
        at = load64(module + MODULE_GOFUNC_18);
        break;
    case 0xfffffff1:
        at = load64(module + MODULE_GOFUNC_20);
        break;
    default: /* 1.16, 1.17: pointers; anything that can be read from the first segment on */
        at = (uintptr_t) runtime->table.start;
        for (unsigned i = 0; i < runtime->module->header_count; i++) {
            const Elf64_Phdr *header = &runtime->module->headers[i];
            uint64_t start = runtime->module->base + header->p_vaddr;

            if (header->p_type == PT_LOAD && at >= start && at - start < header->p_filesz)
                at = start;
        }
        break;
    }
    runtime->table.function_data.size = readable_from(runtime->module, at, PF_R);
    runtime->table.function_data.start = address(at);
}

/* ---- version ---- */

#define BUILD_INFO_SIZE 32
#define BUILD_INFO_WITHIN 65536u

static const uint8_t *find_build_info(const struct nsd_module *module,
                                      const struct sections *sections) {
    static const char magic[] = "\xff Go buildinf:";

    if (sections->build_info.size >= BUILD_INFO_SIZE &&
        memory__equal(sections->build_info.start, magic, 14))
        return sections->build_info.start;
    /* debug/buildinfo: at a multiple of 16, at the start of the data. */
    for (unsigned i = 0; i < module->header_count; i++) {
        struct range data = writable_part(module, &module->headers[i]);
        size_t from = (16 - ((uintptr_t) data.start & 15)) & 15;

        if (data.size > BUILD_INFO_WITHIN)
            data.size = BUILD_INFO_WITHIN;
        for (; from + BUILD_INFO_SIZE <= data.size; from += 16)
            if (data.start[from] == 0xff && memory__equal(data.start + from, magic, 14))
                return data.start + from;
    }
    return NULL;
}

/* The string itself: in place (1.18 on), or by a pointer to a Go string. */
static struct range version_string(const struct nsd_module *module, const uint8_t *info) {
    struct range none = {NULL, 0}, string;
    size_t left = info ? readable_from(module, (uintptr_t) info, PF_R) : 0;

    if (left < BUILD_INFO_SIZE + 2)
        return none;
    if (info[15] & 2) {
        size_t length = info[32];

        string = (struct range){info + 33, length};
        if (length >= 128) {
            string.size = (length & 127) | (size_t) info[33] << 7;
            string.start++;
        }
    } else {
        uint64_t header = load64(info + 16);

        if (info[14] != 8 || !within(module, header, 16))
            return none;
        string = (struct range){address(load64(address(header))), load64(address(header) + 8)};
    }
    return within(module, (uintptr_t) string.start, string.size) ? string : none;
}

static unsigned number(const char **at) {
    unsigned value = 0;

    while (**at >= '0' && **at <= '9' && value < 1000)
        value = value * 10 + (unsigned) (*(*at)++ - '0');
    return value;
}

/* "go1.26.8", "go1.24.6 X:boringcrypto", "go1.27rc1", "devel go1.27-1234abcd ..." */
static void take_version(struct nsd_go_runtime *runtime, struct range string) {
    char *version = runtime->version;
    size_t size =
        string.size < sizeof runtime->version - 1 ? string.size : sizeof runtime->version - 1;
    const char *at;

    for (size_t i = 0; i < size; i++)
        if (string.start[i] < ' ' || string.start[i] > '~')
            return;
    memory__copy(version, string.start, size);
    version[size] = 0;
    at = memory__find(version, size, "go1.", 4);
    if (at == NULL)
        return;
    if (at == version) {
        /* A release: "1.26.8" is how people write it. */
        for (size_t i = 0; i + 2 <= size; i++)
            version[i] = version[i + 2];
        at = version + 2;
    } else {
        at += 4;
    }
    runtime->minor = number(&at);
    if (*at == '.') {
        at++;
        runtime->patch = number(&at);
    }
}

/* ---- functions and sites ---- */

static struct nsd_code code_of(const struct nsd_go_function *function) {
    return (struct nsd_code){address(function->entry), function->end - function->entry};
}

static bool function_at(const struct nsd_go_runtime *runtime, uint64_t entry,
                        struct nsd_go_function *function) {
    uint64_t end = pclntab__end_of(&runtime->table, entry);

    if (entry < runtime->text_start || end <= entry || end > runtime->text_end)
        return false;
    *function = (struct nsd_go_function){entry, end};
    return true;
}

static bool calls(const struct nsd_go_function *function, uint64_t entry) {
    struct nsd_code code = code_of(function);
    struct nsd_match match;

    for (size_t from = 0; code__next(&code, from, "e8/fe d32", &match); from = match.at + 1)
        if (match.target == entry)
            return true;
    return false;
}

/* Of a function and a wrapper of the same name: the one that is called by the other. */
static void choose_function(const struct nsd_go_runtime *runtime,
                            const struct nsd_pclntab_wish *wish, struct nsd_go_function *chosen) {
    struct nsd_go_function function[NSD_PCLNTAB_ENTRIES];
    unsigned count = 0;

    for (unsigned i = 0; i < wish->count; i++)
        if (function_at(runtime, wish->entry[i], &function[count]))
            count++;
    if (count == 1) {
        *chosen = function[0];
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        bool called = false, calling = false;

        for (unsigned k = 0; k < count; k++) {
            if (k == i)
                continue;
            called = called || calls(&function[k], function[i].entry);
            calling = calling || calls(&function[i], function[k].entry);
        }
        if (called && !calling)
            *chosen = function[i];
    }
}

/* What is asked of a place where system calls are made; runtime.h's table. */
struct site_row {
    const char *function, *bytes;
    enum nsd_go_site_kind kind;
    unsigned size, first, last;
};

static const struct site_row site_rows[NSD_GO_SITES] = {
#define X(name, function, kind, bytes, size, first, last)                                          \
    {function, bytes, NSD_GO_SITE_##kind, size, first, last},
    NSD_GO_SITE_TABLE(X)
#undef X
};

/* Releases that a pclntab of this form comes from, where the version is not known. */
static void possible_minors(const struct nsd_go_runtime *runtime, unsigned *low, unsigned *high) {
    static const struct {
        uint32_t magic;
        unsigned low, high;
    } forms[] = {{0xfffffffa, 16, 17}, {0xfffffff0, 18, 19}, {0xfffffff1, 20, 99}};

    *low = *high = runtime->minor;
    if (runtime->minor != 0)
        return;
    for (unsigned i = 0; i < 3; i++) {
        if (forms[i].magic == runtime->table.magic) {
            *low = forms[i].low;
            *high = forms[i].high;
        }
    }
}

/*
 * The bytes must stand exactly once among all functions of the name. True if a function of the name
 * makes system calls by itself: others are wrappers.
 */
static bool choose_site(struct nsd_go_runtime *runtime, const struct nsd_pclntab_wish *wish,
                        const struct site_row *row, struct nsd_go_site *site) {
    const uint8_t *instruction = memory__find(row->bytes, row->size, "\x0f\x05", 2);
    size_t inset = (size_t) (instruction - (const uint8_t *) row->bytes);
    unsigned times = 0;
    bool has_calls = false;

    for (unsigned i = 0; i < wish->count; i++) {
        struct nsd_go_function function;
        const uint8_t *at, *end;

        if (!function_at(runtime, wish->entry[i], &function))
            continue;
        at = address(function.entry);
        end = address(function.end);
        has_calls = has_calls || memory__find(at, (size_t) (end - at), "\x0f\x05", 2) != NULL;
        while ((size_t) (end - at) >= row->size &&
               (at = memory__find(at, (size_t) (end - at), row->bytes, row->size)) != NULL) {
            times++;
            *site = (struct nsd_go_site){.function = row->function,
                                         .syscall = (uintptr_t) at + inset,
                                         .entry = function.entry,
                                         .end = function.end,
                                         .kind = row->kind,
                                         .movable = row->size - (unsigned) inset};
            at += row->size;
        }
    }
    if (times != 1)
        memory__fill(site, 0, sizeof *site);
    return has_calls;
}

enum {
    FUNCTION_COUNT = 0
#define X(field, name) +1
    NSD_GO_FUNCTION_TABLE(X)
#undef X
};

static void find_functions(struct nsd_go_runtime *runtime) {
    static const char *const names[FUNCTION_COUNT] = {
#define X(field, name) name,
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    };
    struct nsd_pclntab_wish wishes[FUNCTION_COUNT + NSD_GO_SITES];
    struct nsd_go_function *functions[FUNCTION_COUNT] = {
#define X(field, name) &runtime->function.field,
        NSD_GO_FUNCTION_TABLE(X)
#undef X
    };
    unsigned low, high, count = 0, site_of[NSD_GO_SITES], sites = 0;

    possible_minors(runtime, &low, &high);
    for (unsigned i = 0; i < FUNCTION_COUNT; i++)
        wishes[count++] = (struct nsd_pclntab_wish){
            .name = names[i],
            .optional = functions[i] != &runtime->function.execute &&
                        functions[i] != &runtime->function.unlock_os_thread,
        };
    for (unsigned i = 0; i < NSD_GO_SITES; i++) {
        const struct site_row *row = &site_rows[i];

        if (row->first > high || row->last < low)
            continue;
        site_of[sites++] = i;
        /* Only what every program of a known release has may make the search go on for it. */
        wishes[count++] = (struct nsd_pclntab_wish){
            .name = row->function,
            .optional = low != high || row->kind != NSD_GO_SITE_SYSCALL6,
        };
    }
    pclntab__find_all(&runtime->table, wishes, count);
    for (unsigned i = 0; i < FUNCTION_COUNT; i++)
        choose_function(runtime, &wishes[i], functions[i]);
    for (unsigned i = 0; i < sites; i++) {
        const struct nsd_pclntab_wish *wish = &wishes[FUNCTION_COUNT + i];
        struct nsd_go_site *site = &runtime->site[site_of[i]];

        /* Where the release is not known, a name may be that of a mere forwarder. */
        bool is_maker = choose_site(runtime, wish, &site_rows[site_of[i]], site);

        if (wish->count != 0 && site->syscall == 0 && (is_maker || low == high) &&
            site_rows[site_of[i]].kind <= NSD_GO_SITE_RAW_VFORK)
            runtime->why = "a system call function is not made as in any known release";
    }
}

static void find_mapping(struct nsd_go_runtime *runtime) {
    for (unsigned i = 0; i < runtime->module->header_count; i++) {
        const Elf64_Phdr *header = &runtime->module->headers[i];
        uint64_t start = runtime->module->base + header->p_vaddr;

        if (header->p_type != PT_LOAD || runtime->text_start < start ||
            runtime->text_start - start >= header->p_memsz)
            continue;
        runtime->map_start = start & ~(uint64_t) (PAGE - 1);
        runtime->map_end = (start + header->p_memsz + PAGE - 1) & ~(uint64_t) (PAGE - 1);
    }
}

bool runtime__find(struct nsd_module *module, struct nsd_go_runtime *runtime) {
    struct sections sections;
    const uint8_t *info;
    bool noted = has_go_note(module);

    memory__fill(runtime, 0, sizeof *runtime);
    if (!noted && !has_thread_local(module))
        return false;
    runtime->module = module;
    sections__read(&sections, module);
    info = find_build_info(module, &sections);
    if (!noted && info == NULL && sections.pclntab.size == 0 && sections.pclntab_pie.size == 0)
        return false;
    module->is_go = true;
    take_version(runtime, version_string(module, info));
    if (!find_module(runtime, &sections))
        return true;
    runtime->found = true;
    find_function_data(runtime);
    find_mapping(runtime);
    find_functions(runtime);
    pclntab__register(&runtime->table, runtime->text_start, runtime->text_end);
    return true;
}
