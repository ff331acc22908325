/*
 * The table of what is mapped here as code: executable, libraries, the shim itself; found by our
 * own walk of the loader's link map, never by dl_iterate_phdr (which takes the loader's lock) or
 * dlsym. Read by the unwinder, the symbol lookup of the libc probes, the Go probe and the report.
 * Reached from hooks: no libc. Modules are never removed, so a pc keeps its name after dlclose.
 */
#ifndef NSD_NAMES_MODULES_H
#define NSD_NAMES_MODULES_H

#include "names/module.h"
#include <stdbool.h>
#include <stdint.h>

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
/* How many of them were there at the first look: the global scope. */
unsigned modules__at_start(void);

#endif
