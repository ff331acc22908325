/*
 * The room of names: which file an address lies in, what a function is called, where a name is
 * defined.
 *
 * In: the loader's list, ELF files, a Go program's pclntab; in the command, names out of a
 * recording. Out: struct nsd_module by address (this file), definitions by name (definitions.h),
 * function, file and line by pc (naming.h), and the reader of ELF (elf.h). Called by every room
 * above and by the command. Must not: use libc or the loader's lock (no dl_iterate_phdr, no dlsym),
 * believe a file unchecked, know of threads, namespaces or probes.
 *
 * This file is the table of modules: executable, libraries, the shim itself. Modules are never
 * removed, so that a pc keeps its name after dlclose. Reached from hooks.
 */
#ifndef NSD_NAMES_MODULES_H
#define NSD_NAMES_MODULES_H

#include "names/module.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The main program as the kernel handed it over: AT_PHDR, AT_PHNUM, and a path that is used where
 * /proc cannot tell it. Before modules__begin; without it /proc/self/auxv is read.
 */
void modules__set_start(uintptr_t program_headers, unsigned count, const char *program);
/* Our own path, where no loader has it. Before modules__begin; the string must stay. */
void modules__set_shim(const char *path);
/* Reads the link map for the first time, in the constructor. Calls after the first do nothing. */
void modules__begin(void);
/*
 * Looks for modules that were loaded since the last look. Bounded, lock-free. False if another
 * thread is changing the loader's list or walking it, or if no system call may be made.
 */
bool modules__refresh(void);
/*
 * The module that holds this address; looks for new modules once if there is none. NULL for code
 * that comes from no file (JIT).
 */
struct nsd_module *modules__of(uintptr_t address);
/*
 * Whether the module's memory may be read at this moment: the loader's list still has its entry.
 * dlclose takes an entry out of the middle of the list, which modules__refresh does not see. False
 * for NULL. One system call for a library that was opened later than at start.
 */
bool modules__is_still_there(struct nsd_module *module);
/* Grows whenever a module was added or has gone. */
uint32_t modules__changes(void);
unsigned modules__count(void);
/* 0-based, in the order of the link map at first sight. */
struct nsd_module *modules__at(unsigned index);
uint32_t modules__number(const struct nsd_module *module); /* 1-based, 0 for NULL */
/* How many modules were there at the first look: these are in the global scope. */
unsigned modules__at_start(void);

#endif
