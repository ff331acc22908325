/*
 * The main program before the loader is asked: where the kernel put its program headers, its load
 * bias, its path. Called by the module table alone, at start.
 */
#ifndef NSD_NAMES_MAIN_PROGRAM_H
#define NSD_NAMES_MAIN_PROGRAM_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel handed over (AT_PHDR, AT_PHNUM), and the path that the program was started by. */
struct nsd_main_program {
    uintptr_t headers; /* 0: not known */
    unsigned header_count;
    const char *path; /* NULL: not known */
};

/* Fills headers and header_count from /proc/self/auxv. Opens and closes a descriptor. */
void main_program__ask_kernel(struct nsd_main_program *program);
uintptr_t main_program__base(const struct nsd_main_program *program);
/* The kernel's own path of the program, else the one that it was started by; may be empty. */
void main_program__path(const struct nsd_main_program *program, char *path, size_t size);

#endif
