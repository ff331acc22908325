/*
 * The name of a program counter: function, file, line, module, offset, build id. Go code by its
 * pclntab, other code by .symtab of the mapped file or .dynsym in memory. Called by the report, and
 * by the probes to decide which frames are the caller's own. No libc.
 */
#ifndef NSD_NAMES_NAMING_H
#define NSD_NAMES_NAMING_H

#include "names/modules.h"
#include <stdbool.h>
#include <stdint.h>

/* Longer names are cut. Mangled names of C++ templates have thousands of characters. */
#define NSD_FUNCTION_MOST 2048
#define NSD_FILE_MOST 512

struct nsd_place {
    char function[NSD_FUNCTION_MOST]; /* empty: unknown */
    char file[NSD_FILE_MOST];         /* as recorded in the program; empty: unknown */
    uint32_t line;                    /* 0: unknown */
    const struct nsd_module *module;  /* NULL: unknown */
    uint64_t offset;                  /* pc - module->base: what addr2line takes */
    bool is_go;
};

/* `pc` is a return address (the call is looked up at pc-1) unless `exact`. */
void naming__place(uint64_t pc, bool exact, struct nsd_place *place);
/*
 * Whether a report should leave the frame out at the top of a stack: the shim's own, Go's runtime,
 * syscall, internal/... and golang.org/x/sys/unix packages.
 */
bool naming__is_plumbing(const struct nsd_place *place);

#endif
