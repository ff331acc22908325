/*
 * An ELF file in memory, read with every offset checked: the program that is to be started and the
 * library that is to be put into it. Called by program.c and inject.c.
 */
#ifndef NSD_CLI_WATCH_ELF_IMAGE_H
#define NSD_CLI_WATCH_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nsd_elf_image {
    const unsigned char *bytes;
    size_t size;
    dev_t device;
    ino_t inode;
};

/* Maps the file. False with errno; an empty file is an image of size 0. */
bool elf_image__open(struct nsd_elf_image *image, const char *path);
void elf_image__close(struct nsd_elf_image *image);
/* NULL where the file has not as many bytes there. */
const void *elf_image__part(const struct nsd_elf_image *image, uint64_t offset, uint64_t size);
/* The header of a 64-bit file for this machine, NULL if it is none. */
const Elf64_Ehdr *elf_image__header(const struct nsd_elf_image *image);
/* The i-th program header, NULL where it is outside the file. */
const Elf64_Phdr *elf_image__segment(const struct nsd_elf_image *image, unsigned i);
/* The file offset of an address, by the loadable segments; UINT64_MAX if none holds it. */
uint64_t elf_image__offset(const struct nsd_elf_image *image, uint64_t address);
/* It is linked dynamically: a loader runs first. */
bool elf_image__has_interpreter(const struct nsd_elf_image *image);
/*
 * The mark in front of the build information, which cmd/link writes into every Go program
 * (debug/buildinfo looks for it). Reads the whole file.
 */
bool elf_image__has_go_mark(const struct nsd_elf_image *image);
/* By the note of Go's linker, which -buildid= leaves out, else by that mark. */
bool elf_image__is_go(const struct nsd_elf_image *image);
/* An address in executable code where a system call instruction stands; false if there is none. */
bool elf_image__system_call(const struct nsd_elf_image *image, uint64_t *address);

#endif
