/*
 * The table of what is mapped here as code: executable, libraries, the shim itself; found by our
 * own walk of the loader's link map, never by dl_iterate_phdr (which takes the loader's lock) or
 * dlsym. Read by the unwinder, the symbol lookup of the libc probes, the Go probe and the report.
 * Reached from hooks: no libc. Modules are never removed, so a pc keeps its name after dlclose.
 */
#ifndef NSD_NAMES_MODULES_H
#define NSD_NAMES_MODULES_H

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
};

/*
 * The main program as the kernel handed it over (AT_PHDR, AT_PHNUM, the path for it where /proc
 * cannot say); before modules__begin. Left out: read from /proc/self/auxv.
 */
void modules__set_start(uintptr_t program_headers, unsigned count, const char *program);
/* Our own path where no loader knows it. Before modules__begin; must stay. */
void modules__set_shim(const char *path);
/* Reads the link map for the first time, in the constructor. Calls after the first do nothing. */
void modules__begin(void);
/* Looks for modules that were loaded since. Bounded, lock-free; false if the link map is being
 * changed. */
bool modules__refresh(void);
/* The module that holds this address, refreshing once if there is none; NULL for JIT code and the
 * like. */
struct nsd_module *modules__of(uintptr_t address);
unsigned modules__count(void);
/* 0-based, in the order of the link map at first sight. */
struct nsd_module *modules__at(unsigned index);
uint32_t modules__number(const struct nsd_module *module); /* 1-based, 0 for NULL */
/* Was in the link map at the last look: its memory may be read. */
bool modules__is_loaded(const struct nsd_module *module);
/* Maps the module's file for its symbol table, once. Opens and closes a descriptor. */
void modules__map_file(struct nsd_module *module);

/*
 * The next definition of a name after the shim in the order in which the loader searches: what
 * dlsym(RTLD_NEXT) would say, without its mallocs. NULL if there is none. Skips hidden versions.
 */
void *modules__next_definition(const char *name);

#endif
