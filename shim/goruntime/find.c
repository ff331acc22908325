/*
 * Finds the Go runtime of a module: is it Go at all, and where are moduledata and pclntab. Called
 * once by go__begin, in the constructor: a program that is not Go pays for a look at its program
 * headers, a Go program of any size for the section headers of its file and a few pages of its
 * tables.
 */
#include "goruntime/find.h"
#include "base/memory.h"
#include "base_machine.h"

struct nsd_go_runtime nsd_go_runtime;

/* runtime/symtab.go, type moduledata, 1.16 to 1.27. */
#define MODULE_NAMES 0x08
#define MODULE_FUNCTIONS 0x80
#define MODULE_MINPC 0xa0
#define MODULE_MAXPC 0xa8
#define MODULE_TEXT 0xb0
#define MODULE_ETEXT 0xb8
#define MODULE_GOFUNC_18 0x130 /* 1.18, 1.19; nothing before */
#define MODULE_TYPES 0x128     /* from 1.20 on, after covctrs and ecovctrs */
#define MODULE_GOFUNC_20 0x140 /* types, etypes, rodata, gofunc */
#define MODULE_GOFUNC_27 0x158 /* types, its length, etypes, two of itab, rodata, gofunc */
#define MODULE_READ 0x160

/* ---- is it Go ---- */

/* Every Go program keeps g in a thread-local word of its own; few other programs have one. */
static bool has_thread_local(const struct nsd_module *module) {
    for (unsigned i = 0; i < module->header_count; i++)
        if (module->headers[i].p_type == PT_TLS)
            return true;
    return false;
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
    uint64_t header = segments__load64(at), names = segments__load64(at + MODULE_NAMES);
    uint64_t first, last;
    size_t size;

    /* Cheap and rarely true, before anything else is touched. */
    if (header < module->start || names <= header || names - header > 0x80 ||
        segments__load64(at + MODULE_NAMES + 8) != segments__load64(at + MODULE_NAMES + 16))
        return false;
    size = segments__readable_from(module, header, PF_R);
    if (size < 0x80 || !known_magic(segments__address(header)))
        return false;
    runtime->text_start = segments__load64(at + MODULE_TEXT);
    runtime->text_end = segments__load64(at + MODULE_ETEXT);
    if (!pclntab__open(&runtime->table, segments__address(header), size, runtime->text_start,
                       &runtime->why))
        return false;
    if (segments__load64(at + MODULE_FUNCTIONS) != (uintptr_t) runtime->table.records.start) {
        runtime->why = "pclntab and moduledata name different function tables";
        return false;
    }
    pclntab__range(&runtime->table, &first, &last);
    if (first != segments__load64(at + MODULE_MINPC) ||
        last != segments__load64(at + MODULE_MAXPC) || first >= last ||
        first < runtime->text_start || last > runtime->text_end ||
        runtime->text_start >= runtime->text_end ||
        segments__readable_from(module, runtime->text_start, PF_X) <
            runtime->text_end - runtime->text_start) {
        runtime->why = "pclntab and moduledata disagree about the text";
        return false;
    }
    runtime->moduledata = (uintptr_t) at;
    runtime->why = NULL;
    return true;
}

static bool scan_for_module(struct nsd_go_runtime *runtime, struct nsd_range range) {
    const uint8_t *at = segments__address(((uintptr_t) range.start + 7) & ~(uintptr_t) 7);

    if (range.size < MODULE_READ + 8)
        return false;
    for (const uint8_t *end = range.start + range.size - MODULE_READ; at <= end; at += 8)
        if (take_module(runtime, at))
            return true;
    return false;
}

static bool find_module(struct nsd_go_runtime *runtime, const struct nsd_go_sections *sections) {
    const struct nsd_module *module = runtime->module;

    runtime->why = "no pclntab was found";
    if (scan_for_module(runtime, sections->module) ||
        scan_for_module(runtime, sections->no_pointers))
        return true;
    /* No section headers, or a linker that named things otherwise: all that is writable. */
    for (unsigned i = 0; i < module->header_count; i++) {
        if (scan_for_module(runtime, segments__writable_part(module, &module->headers[i])))
            return true;
    }
    return false;
}

/*
 * 1.27 has the pclntab of 1.20 and three words more in moduledata; what stands behind `types` tells
 * them apart: an address above it, or a length and then that address. 0: neither.
 */
static uint64_t function_data_of_20(const struct nsd_module *of, const uint8_t *module) {
    uint64_t types = segments__load64(module + MODULE_TYPES);
    uint64_t next = segments__load64(module + MODULE_TYPES + 8);
    uint64_t next_but_one = segments__load64(module + MODULE_TYPES + 16);

    if (next >= types && segments__readable_from(of, next - 1, PF_R) != 0)
        return segments__load64(module + MODULE_GOFUNC_20);
    if (next_but_one >= types && segments__readable_from(of, next_but_one - 1, PF_R) != 0)
        return segments__load64(module + MODULE_GOFUNC_27);
    return 0;
}

/* Where the inline trees lie: offsets in the table are relative to it. */
static void find_function_data(struct nsd_go_runtime *runtime) {
    const uint8_t *module = segments__address(runtime->moduledata);
    uint64_t at;

    switch (runtime->table.magic) {
    case 0xfffffff0:
        at = segments__load64(module + MODULE_GOFUNC_18);
        break;
    case 0xfffffff1:
        at = function_data_of_20(runtime->module, module);
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
    runtime->table.function_data.size = segments__readable_from(runtime->module, at, PF_R);
    runtime->table.function_data.start = segments__address(at);
}

static void find_mapping(struct nsd_go_runtime *runtime) {
    for (unsigned i = 0; i < runtime->module->header_count; i++) {
        const Elf64_Phdr *header = &runtime->module->headers[i];
        uint64_t start = runtime->module->base + header->p_vaddr;

        if (header->p_type != PT_LOAD || runtime->text_start < start ||
            runtime->text_start - start >= header->p_memsz)
            continue;
        runtime->map_start = start & ~(NSD_PAGE_SIZE - 1);
        runtime->map_end =
            (start + header->p_memsz + NSD_PAGE_SIZE - 1) & ~(NSD_PAGE_SIZE - 1);
    }
}

bool runtime__find(struct nsd_module *module, struct nsd_go_runtime *runtime) {
    struct nsd_go_sections sections;
    const uint8_t *info;
    bool noted = module__has_go_note(module);

    memory__fill(runtime, 0, sizeof *runtime);
    if (!noted && !has_thread_local(module))
        return false;
    runtime->module = module;
    segments__sections(&sections, module);
    info = version__find(module, &sections);
    if (!noted && info == NULL && sections.pclntab.size == 0 && sections.pclntab_pie.size == 0)
        return false;
    module->is_go = true;
    version__take(runtime, info);
    if (!find_module(runtime, &sections))
        return true;
    runtime->found = true;
    find_function_data(runtime);
    find_mapping(runtime);
    functions__find(runtime);
    pclntab__register(&runtime->table, runtime->text_start, runtime->text_end);
    return true;
}
