/*
 * ELF files, see elf_image.h. Nothing in them is believed: they may be anything that calls itself a
 * program.
 */
#include "cli/watch/elf_image.h"
#include "base_machine.h"
#include "names/elf.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool elf_image__open(struct nsd_elf_image *image, const char *path) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;

    memset(image, 0, sizeof *image);
    if (fd < 0)
        return false;
    if (fstat(fd, &status) != 0) {
        error = errno;
    } else {
        image->device = status.st_dev;
        image->inode = status.st_ino;
        if (S_ISREG(status.st_mode) && status.st_size > 0) {
            void *bytes = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

            if (bytes == MAP_FAILED) {
                error = errno;
            } else {
                image->bytes = bytes;
                image->size = (size_t) status.st_size;
            }
        }
    }
    close(fd);
    errno = error;
    return error == 0;
}

void elf_image__close(struct nsd_elf_image *image) {
    if (image->bytes != NULL)
        munmap((void *) (uintptr_t) image->bytes, image->size);
    image->bytes = NULL;
    image->size = 0;
}

const void *elf_image__part(const struct nsd_elf_image *image, uint64_t offset, uint64_t size) {
    if (offset > image->size || size > image->size - offset)
        return NULL;
    return image->bytes + offset;
}

const Elf64_Ehdr *elf_image__header(const struct nsd_elf_image *image) {
    const Elf64_Ehdr *elf = elf_image__part(image, 0, sizeof *elf);

    return elf != NULL && elf__is_of_machine(elf) && elf->e_phoff % 8 == 0 ? elf : NULL;
}

const Elf64_Phdr *elf_image__segment(const struct nsd_elf_image *image, unsigned i) {
    const Elf64_Ehdr *elf = elf_image__header(image);

    if (elf == NULL || i >= elf->e_phnum || elf->e_phoff > image->size)
        return NULL;
    return elf_image__part(image, elf->e_phoff + (uint64_t) i * sizeof(Elf64_Phdr),
                           sizeof(Elf64_Phdr));
}

uint64_t elf_image__offset(const struct nsd_elf_image *image, uint64_t address) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(image, i)) != NULL; i++) {
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            address - segment->p_vaddr < segment->p_filesz)
            return segment->p_offset + (address - segment->p_vaddr);
    }
    return UINT64_MAX;
}

bool elf_image__has_interpreter(const struct nsd_elf_image *image) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(image, i)) != NULL; i++) {
        if (segment->p_type == PT_INTERP)
            return true;
    }
    return false;
}

static bool read_part(const void *context, uint64_t at, void *to, size_t size) {
    const void *part = elf_image__part(context, at, size);

    if (part != NULL)
        memcpy(to, part, size);
    return part != NULL;
}

static bool has_go_note(const struct nsd_elf_image *image) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(image, i)) != NULL; i++) {
        struct nsd_elf elf = {segment, 1, true, read_part, image};

        if (elf__has_go_note(&elf))
            return true;
    }
    return false;
}

bool elf_image__has_go_mark(const struct nsd_elf_image *image) {
    static const char mark[] = "\xff Go buildinf:";

    return image->size > 0 && memmem(image->bytes, image->size, mark, sizeof mark - 1) != NULL;
}

bool elf_image__is_go(const struct nsd_elf_image *image) {
    return has_go_note(image) || elf_image__has_go_mark(image);
}

bool elf_image__system_call(const struct nsd_elf_image *image, uint64_t *address) {
    const Elf64_Phdr *segment;

    for (unsigned i = 0; (segment = elf_image__segment(image, i)) != NULL; i++) {
        const unsigned char *text, *at;

        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        text = elf_image__part(image, segment->p_offset, segment->p_filesz);
        at = text == NULL ? NULL : memmem(text, segment->p_filesz,
                                                 NSD_SYSTEM_CALL_BYTES, NSD_SYSTEM_CALL_SIZE);
        if (at != NULL) {
            *address = segment->p_vaddr + (uint64_t) (at - text);
            return true;
        }
    }
    return false;
}
