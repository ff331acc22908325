/*
 * The main program, see main_program.h.
 */
#include "names/main_program.h"

#include "base/syscall.h"
#include "names/loader_memory.h"

#include <linux/auxvec.h>
#include <stdbool.h>

void main_program__ask_kernel(struct nsd_main_program *program) {
    Elf64_auxv_t vector[64];
    long fd = sys__openat(AT_FDCWD, "/proc/self/auxv", O_RDONLY | O_CLOEXEC, 0);
    long size;

    if (fd < 0)
        return;
    size = sys__read((int) fd, vector, sizeof vector);
    sys__close((int) fd);
    for (long i = 0; (i + 1) * (long) sizeof vector[0] <= size; i++) {
        if (vector[i].a_type == AT_PHDR)
            program->headers = vector[i].a_un.a_val;
        if (vector[i].a_type == AT_PHNUM)
            program->header_count = (unsigned) vector[i].a_un.a_val;
    }
}

/* The kernel maps by PT_LOAD alone: another entry is believed only where a segment agrees with it. */
static bool is_in_segment(const struct nsd_main_program *program, const Elf64_Phdr *part) {
    const Elf64_Phdr *headers = (const Elf64_Phdr *) program->headers;

    for (unsigned i = 0; i < program->header_count; i++) {
        if (headers[i].p_type == PT_LOAD && part->p_offset >= headers[i].p_offset &&
            part->p_offset - headers[i].p_offset < headers[i].p_filesz &&
            part->p_vaddr - headers[i].p_vaddr == part->p_offset - headers[i].p_offset)
            return true;
    }
    return false;
}

/*
 * PT_PHDR says where the headers were linked to. A static program that can stand anywhere has no
 * such entry, because ld makes it for an interpreter only; there the ELF header stands in front of
 * its program headers, and some segment begins with it.
 */
uintptr_t main_program__base(const struct nsd_main_program *program) {
    const Elf64_Phdr *headers = (const Elf64_Phdr *) program->headers;

    for (unsigned i = 0; i < program->header_count; i++) {
        if (headers[i].p_type == PT_PHDR && is_in_segment(program, &headers[i]))
            return program->headers - headers[i].p_vaddr;
    }
    for (unsigned i = 0; i < program->header_count; i++) {
        if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0)
            return program->headers - sizeof(Elf64_Ehdr) - headers[i].p_vaddr;
    }
    return 0;
}

void main_program__path(const struct nsd_main_program *program, char *path, size_t size) {
    long length = sys__readlinkat(AT_FDCWD, "/proc/self/exe", path, size - 1);

    if (length > 0) {
        path[length] = '\0';
        return;
    }
    path[0] = '\0';
    if (program->path != NULL)
        loader_memory__read_string(path, size, program->path);
}
