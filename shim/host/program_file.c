/*
 * Looking at a program's file, see program_file.h. Raw system calls, nothing kept.
 */
#include "host/program_file.h"
#include "base/syscall.h"
#include "names/elf.h"

#define HEADERS_MOST 24u

static bool read_file(const void *context, uint64_t at, void *to, size_t size) {
    return sys__pread(*(const int *) context, to, size, at) == (long) size;
}

static enum nsd_program_file kind_of(int fd) {
    Elf64_Phdr headers[HEADERS_MOST];
    struct nsd_elf image = {headers, 0, true, read_file, &fd};
    bool is_dynamic = false, is_go;
    Elf64_Ehdr elf;

    image.header_count = elf__read_headers(read_file, &fd, 0, &elf, headers, HEADERS_MOST);
    if (image.header_count == 0)
        return NSD_FILE_OTHER;
    for (unsigned i = 0; i < image.header_count; i++)
        is_dynamic = is_dynamic || headers[i].p_type == PT_INTERP;
    is_go = elf__has_go_note(&image);
    if (is_dynamic)
        return is_go ? NSD_FILE_DYNAMIC_GO : NSD_FILE_DYNAMIC;
    if (is_go)
        return NSD_FILE_STATIC_GO;
    /* A loader that is started by hand looks like a static program that can stand anywhere. */
    return elf.e_type == ET_EXEC ? NSD_FILE_STATIC : NSD_FILE_OTHER;
}

enum nsd_program_file program_file__look(int folder, const char *path) {
    enum nsd_program_file kind;
    long fd;

    if (path == NULL)
        return NSD_FILE_OTHER;
    fd = sys__openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (SYS_IS_ERROR(fd))
        return NSD_FILE_OTHER;
    kind = kind_of((int) fd);
    sys__close((int) fd);
    return kind;
}
