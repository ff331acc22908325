/*
 * Looking at a program's file, see program_file.h. Raw system calls, nothing kept.
 */
#include "host/program_file.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "names/elf.h"

#define HEADERS_MOST 24u
/* fs/exec.c, exec_binprm: a script's interpreter may be a script, five deep. */
#define INTERPRETERS_MOST 5u
/*
 * Of the file's beginning, read at once: a script's first line, of which fs/binfmt_script.c reads
 * 256 bytes, and a program's headers and notes. Small, because hooks run on small stacks.
 */
#define BEGINNING_MOST 1024u
#define DYNAMIC_MOST 512u
/* Entries of the dynamic section that are read at once. */
#define PIECE 16u
#define NEEDED_MOST 16u

/* A file that is looked at. */
struct file {
    int fd;
    size_t size;                    /* of `beginning` */
    char beginning[BEGINNING_MOST]; /* NULs behind its end, at least one */
};

static bool read_file(const void *context, uint64_t at, void *to, size_t size) {
    const struct file *file = context;

    if (at > file->size || size > file->size - at)
        return sys__pread(file->fd, to, size, at) == (long) size;
    memory__copy(to, file->beginning + at, size);
    return true;
}

static void read_beginning(struct file *file) {
    long got = sys__pread(file->fd, file->beginning, sizeof file->beginning - 1, 0);

    file->size = SYS_IS_ERROR(got) ? 0 : (size_t) got;
    memory__fill(file->beginning + file->size, 0, sizeof file->beginning - file->size);
}

/* ---- the dynamic section ---- */

struct needed {
    uint64_t strings; /* address of the string table */
    uint64_t name[NEEDED_MOST];
    unsigned count;
};

static void read_needed(const struct file *file, const Elf64_Phdr *segment, struct needed *needed) {
    uint64_t entries = segment->p_filesz / sizeof(Elf64_Dyn);

    for (uint64_t i = 0; i < entries && i < DYNAMIC_MOST; i += PIECE) {
        Elf64_Dyn piece[PIECE];
        uint64_t count = entries - i < PIECE ? entries - i : PIECE;

        if (!read_file(file, segment->p_offset + i * sizeof piece[0], piece,
                       count * sizeof piece[0]))
            return;
        for (uint64_t j = 0; j < count; j++) {
            if (piece[j].d_tag == DT_NULL)
                return;
            if (piece[j].d_tag == DT_STRTAB)
                needed->strings = piece[j].d_un.d_ptr;
            else if (piece[j].d_tag == DT_NEEDED && needed->count < NEEDED_MOST)
                needed->name[needed->count++] = piece[j].d_un.d_val;
        }
    }
}

/* The place in the file of an address; 0 if no segment holds it. */
static uint64_t offset_of(const struct nsd_elf *image, uint64_t address) {
    for (unsigned i = 0; i < image->header_count; i++) {
        const Elf64_Phdr *segment = &image->headers[i];

        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            address - segment->p_vaddr < segment->p_filesz)
            return segment->p_offset + (address - segment->p_vaddr);
    }
    return 0;
}

bool program_file__is_asan(const char *name) {
    return string__begins(name, "libasan.so") || string__begins(name, "libclang_rt.asan");
}

static bool needs_asan(const struct file *file, const struct nsd_elf *image,
                       const Elf64_Phdr *dynamic) {
    struct needed needed = {.strings = 0};
    uint64_t strings;

    read_needed(file, dynamic, &needed);
    strings = offset_of(image, needed.strings);
    for (unsigned i = 0; strings != 0 && i < needed.count; i++) {
        char name[PROGRAM_FILE_ASAN_NAME] = {0};

        if (read_file(file, strings + needed.name[i], name, sizeof name - 1) &&
            program_file__is_asan(name))
            return true;
    }
    return false;
}

/* ---- the file ---- */

static enum nsd_program_file kind_of(const struct nsd_elf *image, unsigned type, bool is_dynamic) {
    bool is_go = elf__has_go_note(image);

    if (is_dynamic)
        return is_go ? NSD_FILE_DYNAMIC_GO : NSD_FILE_DYNAMIC;
    if (is_go)
        return NSD_FILE_STATIC_GO;
    /* A loader that is started by hand looks like a static program that can stand anywhere. */
    return type == ET_EXEC ? NSD_FILE_STATIC : NSD_FILE_OTHER;
}

static bool has_capabilities(int fd) {
    return sys__geteuid() != 0 && sys__fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

/*
 * Whether the kernel will tell the loader to distrust the environment: the file changes who runs
 * it, and neither the process nor the mount forbids that (cap_bprm_creds_from_file in
 * security/commoncap.c, mnt_may_suid in fs/namespace.c).
 */
static bool gives_rights(int fd) {
    struct sys_stat file;
    struct sys_statfs mount;
    bool changes_user, changes_group;

    if (SYS_IS_ERROR(sys__fstat(fd, &file)))
        return false;
    changes_user = (file.mode & SYS_MODE_SET_UID) != 0 && file.uid != sys__geteuid();
    changes_group = (file.mode & SYS_MODE_SET_GID) != 0 &&
                    (file.mode & SYS_MODE_GROUP_EXECUTES) != 0 && file.gid != sys__getegid();
    if (!changes_user && !changes_group && !has_capabilities(fd))
        return false;
    return sys__no_new_privileges() != 1 &&
           (SYS_IS_ERROR(sys__fstatfs(fd, &mount)) || (mount.flags & SYS_MOUNT_NOSUID) == 0);
}

static void look_at_elf(const struct file *file, struct nsd_program_look *look) {
    Elf64_Phdr headers[HEADERS_MOST];
    struct nsd_elf image = {headers, 0, true, read_file, file};
    const Elf64_Phdr *dynamic = NULL;
    bool is_dynamic = false;
    Elf64_Ehdr elf;

    image.header_count = elf__read_headers(read_file, file, 0, &elf, headers, HEADERS_MOST);
    if (image.header_count == 0)
        return;
    for (unsigned i = 0; i < image.header_count; i++) {
        is_dynamic = is_dynamic || headers[i].p_type == PT_INTERP;
        if (headers[i].p_type == PT_DYNAMIC)
            dynamic = &headers[i];
    }
    look->is_foreign = !elf__is_of_machine(&elf);
    look->needs_asan = is_dynamic && dynamic != NULL && needs_asan(file, &image, dynamic);
    look->kind = kind_of(&image, elf.e_type, is_dynamic);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The interpreter that a first line names, in place: NULL if it names none. */
static const char *interpreter_of(char *line) {
    char *from = line + 2, *end;

    if (line[0] != '#' || line[1] != '!')
        return NULL;
    while (is_blank(*from))
        from++;
    for (end = from; *end != '\0' && *end != '\n' && !is_blank(*end);)
        end++;
    if (*end == '\0') /* longer than what was read */
        return NULL;
    *end = '\0';
    return from != end ? from : NULL;
}

static bool is_elf_of_other_class(const char *line) {
    return memory__equal(line, ELFMAG, SELFMAG) && line[EI_CLASS] != ELFCLASS64;
}

static long open_to_look(int folder, const char *path) {
    return sys__openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
}

void program_file__look(int folder, const char *path, bool asks_rights,
                        struct nsd_program_look *look) {
    long fd = path == NULL ? -1 : open_to_look(folder, path);
    struct file file;

    *look = (struct nsd_program_look){.kind = NSD_FILE_OTHER};
    for (unsigned i = 0; !SYS_IS_ERROR(fd); i++) {
        const char *interpreter;

        file.fd = (int) fd;
        read_beginning(&file);
        interpreter = interpreter_of(file.beginning);
        if (interpreter == NULL) {
            look->is_foreign = is_elf_of_other_class(file.beginning);
            look_at_elf(&file, look);
        }
        if (i > 0) /* a script is not judged by its interpreter */
            look->kind = NSD_FILE_OTHER;
        if (asks_rights && look->kind != NSD_FILE_OTHER && gives_rights(file.fd))
            look->kind = NSD_FILE_PRIVILEGED;
        sys__close(file.fd);
        fd = interpreter == NULL || i == INTERPRETERS_MOST ? -1
                                                           : open_to_look(AT_FDCWD, interpreter);
    }
}
