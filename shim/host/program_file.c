/*
 * Looking at a program's file, see program_file.h. Raw system calls, nothing kept.
 */
#include "host/program_file.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <elf.h>
#include <stdbool.h>

#define HEADERS_MOST 24u
#define NOTES_MOST 16u
#define GO_BUILD_ID 4u /* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG */

struct head {
    Elf64_Ehdr elf;
    Elf64_Phdr headers[HEADERS_MOST];
};

/* That of Go's linker stands behind those of C's, where that has linked it. */
static bool has_go_note(int fd, const Elf64_Phdr *header) {
    uint64_t align = header->p_align == 8 ? 7 : 3, at = 0;
    struct {
        Elf64_Nhdr note;
        char name[4];
    } one;

    if (header->p_type != PT_NOTE)
        return false;
    for (unsigned i = 0; i < NOTES_MOST && at < header->p_filesz; i++) {
        if (sys__pread(fd, &one, sizeof one, header->p_offset + at) != sizeof one)
            return false;
        if (one.note.n_type == GO_BUILD_ID && one.note.n_namesz == sizeof one.name &&
            memory__equal(one.name, "Go\0", sizeof one.name))
            return true;
        at = (at + sizeof one.note + one.note.n_namesz + align) & ~align;
        at = (at + one.note.n_descsz + align) & ~align;
    }
    return false;
}

static enum nsd_program_file kind_of(int fd) {
    bool is_dynamic = false, is_go = false;
    struct head head;
    long got = sys__pread(fd, &head, sizeof head, 0);

    if (got < (long) sizeof head.elf || !memory__equal(head.elf.e_ident, ELFMAG, SELFMAG) ||
        head.elf.e_ident[EI_CLASS] != ELFCLASS64 || head.elf.e_phoff != sizeof head.elf ||
        head.elf.e_phnum > HEADERS_MOST ||
        got < (long) (sizeof head.elf + head.elf.e_phnum * sizeof(Elf64_Phdr)))
        return NSD_FILE_OTHER;
    for (unsigned i = 0; i < head.elf.e_phnum; i++) {
        is_dynamic = is_dynamic || head.headers[i].p_type == PT_INTERP;
        is_go = is_go || has_go_note(fd, &head.headers[i]);
    }
    if (is_dynamic)
        return is_go ? NSD_FILE_DYNAMIC_GO : NSD_FILE_DYNAMIC;
    if (is_go)
        return NSD_FILE_STATIC_GO;
    /* A loader that is started by hand looks like a static program that can stand anywhere. */
    return head.elf.e_type == ET_EXEC ? NSD_FILE_STATIC : NSD_FILE_OTHER;
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
