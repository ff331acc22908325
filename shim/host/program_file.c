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

enum nsd_program_file program_file__look(int folder, const char *path) {
    enum nsd_program_file kind;
    long fd;

    if (path == NULL)
        return NSD_FILE_OTHER;
    fd = sys__openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (SYS_IS_ERROR(fd))
        return NSD_FILE_OTHER;
    kind = kind_of((int) fd);
    if (kind != NSD_FILE_OTHER && gives_rights((int) fd))
        kind = NSD_FILE_PRIVILEGED;
    sys__close((int) fd);
    return kind;
}
