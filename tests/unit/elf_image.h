/*
 * An executable mapped where it wants to be, unstarted: what the loader would make of it, as far as
 * a reader of its tables can tell. For tests of the Go probe on programs that need not run.
 */
#ifndef NSD_TESTS_ELF_IMAGE_H
#define NSD_TESTS_ELF_IMAGE_H

#include "names/modules.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct elf_image {
    struct nsd_module module;
    const uint8_t *file;
    size_t file_size;
    void *memory;
    size_t memory_size;
};

/*
 * Maps the segments (writable, so that a test may break them) and applies what relative relocations
 * there are. A program that is not position independent must find its addresses free: the test is
 * built as PIE.
 */
static inline int elf_image__load(struct elf_image *image, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    uintptr_t low = UINTPTR_MAX, high = 0;

    memset(image, 0, sizeof *image);
    if (fd < 0 || fstat(fd, &stat) != 0)
        return -1;
    image->file_size = (size_t) stat.st_size;
    image->file = mmap(NULL, image->file_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (image->file == MAP_FAILED || image->file_size < sizeof(Elf64_Ehdr))
        return -1;

    const Elf64_Ehdr *elf = (const Elf64_Ehdr *) image->file;
    const Elf64_Phdr *headers = (const Elf64_Phdr *) (image->file + elf->e_phoff);

    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (headers[i].p_type != PT_LOAD)
            continue;
        if (headers[i].p_vaddr < low)
            low = headers[i].p_vaddr;
        if (headers[i].p_vaddr + headers[i].p_memsz > high)
            high = headers[i].p_vaddr + headers[i].p_memsz;
    }
    low &= ~(uintptr_t) 4095;
    image->memory_size = (high - low + 4095) & ~(size_t) 4095;
    image->memory = mmap(low ? (void *) low : NULL, image->memory_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | (low ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    if (image->memory == MAP_FAILED || (low && image->memory != (void *) low))
        return -1;

    uintptr_t base = (uintptr_t) image->memory - low;

    for (unsigned i = 0; i < elf->e_phnum; i++)
        if (headers[i].p_type == PT_LOAD)
            memcpy((void *) (base + headers[i].p_vaddr), image->file + headers[i].p_offset,
                   headers[i].p_filesz);
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        const Elf64_Dyn *dynamic = (const Elf64_Dyn *) (base + headers[i].p_vaddr);
        const Elf64_Rela *rela = NULL;
        size_t size = 0;

        if (headers[i].p_type != PT_DYNAMIC)
            continue;
        for (; dynamic->d_tag != DT_NULL; dynamic++) {
            if (dynamic->d_tag == DT_RELA)
                rela = (const Elf64_Rela *) (base + dynamic->d_un.d_ptr);
            if (dynamic->d_tag == DT_RELASZ)
                size = dynamic->d_un.d_val;
        }
        for (size_t k = 0; rela != NULL && k < size / sizeof *rela; k++)
            if (ELF64_R_TYPE(rela[k].r_info) == R_X86_64_RELATIVE)
                *(uint64_t *) (base + rela[k].r_offset) = base + (uint64_t) rela[k].r_addend;
    }
    image->module = (struct nsd_module){
        .path = (char *) path,
        .base = base,
        .start = (uintptr_t) image->memory,
        .end = (uintptr_t) image->memory + image->memory_size,
        .headers = headers,
        .header_count = elf->e_phnum,
    };
    return 0;
}

static inline void elf_image__drop(struct elf_image *image) {
    munmap(image->memory, image->memory_size);
    munmap((void *) image->file, image->file_size);
}

/* Address of a symbol of the file's .symtab; 0 without one. */
static inline uint64_t elf_image__symbol(const struct elf_image *image, const char *name) {
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *) image->file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *) (image->file + elf->e_shoff);

    for (unsigned i = 0; elf->e_shoff != 0 && i < elf->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Sym *symbols = (const Elf64_Sym *) (image->file + sections[i].sh_offset);
        const char *names = (const char *) image->file + sections[sections[i].sh_link].sh_offset;

        for (size_t k = 0; k < sections[i].sh_size / sizeof *symbols; k++)
            if (strcmp(names + symbols[k].st_name, name) == 0)
                return image->module.base + symbols[k].st_value;
    }
    return 0;
}

#endif
