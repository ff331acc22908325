/*
 * One module: an ELF file that is mapped here. Filled in by modules.c, which owns the table of
 * them; read by whoever has to do with code and its names.
 */
#ifndef NSD_NAMES_MODULE_H
#define NSD_NAMES_MODULE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSD_BUILD_ID_MOST 32

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
    /* The file, mapped read-only when a stack first stood in it (before any pivot_root). */
    const uint8_t *file;
    size_t file_size;
    bool file_tried;
    bool loaded; /* was in the link map at the last look; by module__is_loaded */
};

/* Its memory may be read. */
static inline bool module__is_loaded(const struct nsd_module *module) {
    return module != NULL && __atomic_load_n(&module->loaded, __ATOMIC_RELAXED);
}

#endif
