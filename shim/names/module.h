/*
 * One module: an ELF file that is mapped here. modules.c owns the table of them and publishes a
 * module when it is filled in; the fields that change afterwards are atomic. Read by every room
 * above that has to do with code and its names.
 */
#ifndef NSD_NAMES_MODULE_H
#define NSD_NAMES_MODULE_H

#include "names/elf.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSD_BUILD_ID_MOST 32
/* Program headers of a module; a file with more is not taken for one. */
#define NSD_MODULE_HEADERS_MOST 64u

struct nsd_module {
    char *path;                     /* as the loader has it; the executable's is its real path */
    uintptr_t base;                 /* load bias: address = base + p_vaddr */
    uintptr_t start, end;           /* of all PT_LOAD segments */
    uintptr_t text_start, text_end; /* of the executable one */
    const Elf64_Phdr *headers;
    unsigned header_count;
    const Elf64_Dyn *dynamic;
    const uint8_t *eh_frame_header; /* PT_GNU_EH_FRAME in memory, NULL if none */
    size_t eh_frame_header_size;
    uint8_t build_id[NSD_BUILD_ID_MOST];
    uint8_t build_id_size;
    bool is_shim;
    bool is_executable; /* the main program */
    bool is_go;         /* holds a Go runtime (set by the Go probe) */
    /*
     * The file, mapped read-only when a stack first stood in the module (before any pivot_root);
     * NULL until then. Stored with release after file_size, loaded with acquire, so that a reader
     * who sees the file sees its size and its bytes.
     */
    const uint8_t *_Atomic file;
    size_t file_size;
    /*
     * The thread that exchanges it to true maps the file; acq_rel is more than such a flag needs.
     */
    _Atomic bool file_tried;
    /* It was in the link map at the last look. Relaxed: an answer of a moment ago is as good. */
    _Atomic bool loaded;
};

/* The module's memory may be read. */
static inline bool module__is_loaded(const struct nsd_module *module) {
    return module != NULL && atomic_load_explicit(&module->loaded, memory_order_relaxed);
}

/* Its mapped file; NULL while there is none. module->file_size may be read after it. */
static inline const uint8_t *module__file(const struct nsd_module *module) {
    return atomic_load_explicit(&module->file, memory_order_acquire);
}

/*
 * Reads the ELF header at `at` and its program headers into `headers` (NSD_MODULE_HEADERS_MOST of
 * them), sets header_count. False if there is none, or if its dynamic section is not the one given
 * (NULL: any).
 */
bool module__read_headers(struct nsd_module *module, uintptr_t at, const Elf64_Dyn *dynamic,
                          Elf64_Phdr *headers);
/*
 * The same for a library of which the load bias and the dynamic section are known. Its ELF header
 * stands at the bias, unless it was linked to a base of its own.
 */
bool module__find_headers(struct nsd_module *module, const Elf64_Dyn *dynamic, Elf64_Phdr *headers);
/*
 * Fills in ranges, dynamic section, unwind table and build id, from headers and base. False without
 * segments.
 */
bool module__describe(struct nsd_module *module);
/* Whether the module says of itself that Go's linker made it. */
bool module__has_go_note(const struct nsd_module *module);

#endif
