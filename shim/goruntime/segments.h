/*
 * A module as the finder of a Go runtime looks at it: which addresses can be read, what the file's
 * section headers say about them. Nothing here believes the file: a range lies in one of the
 * module's mapped segments or it is empty. Called by the files of this room at start.
 */
#ifndef NSD_GORUNTIME_SEGMENTS_H
#define NSD_GORUNTIME_SEGMENTS_H

#include "names/modules.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_range {
    const uint8_t *start;
    size_t size;
};

/* X(field, name of the section) */
#define NSD_GO_SECTION_TABLE(X)                                                                    \
    X(pclntab, ".gopclntab")                                                                       \
    X(pclntab_pie, ".data.rel.ro.gopclntab")                                                       \
    X(module, ".go.module")                                                                        \
    X(no_pointers, ".noptrdata")                                                                   \
    X(build_info, ".go.buildinfo")

struct nsd_go_sections {
#define X(field, name) struct nsd_range field;
    NSD_GO_SECTION_TABLE(X)
#undef X
};

/* Reads them from the file: four system calls. All empty where that cannot be had. */
void segments__sections(struct nsd_go_sections *sections, const struct nsd_module *module);

/* What is left of the segment's file part from this address on; 0 outside of all segments. */
size_t segments__readable_from(const struct nsd_module *module, uint64_t at, uint32_t flags);
bool segments__holds(const struct nsd_module *module, uint64_t at, size_t size);
/*
 * What a program may write of this segment and has in its file, without what the loader makes
 * read-only when it has relocated it: moduledata and the version stand behind that.
 */
struct nsd_range segments__writable_part(const struct nsd_module *module,
                                         const Elf64_Phdr *segment);

/* The address if a variable of this size stands there, in a segment that is not the text; else 0. */
uint64_t segments__variable(const struct nsd_module *module, uint64_t address, size_t size);

static inline const uint8_t *segments__address(uint64_t value) {
    return (const uint8_t *) (uintptr_t) value;
}

static inline uint64_t segments__load64(const uint8_t *from) {
    uint64_t value;

    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

#endif
