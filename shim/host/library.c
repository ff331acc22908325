/*
 * The library's file, see library.h. Raw system calls, none at start but getcwd and stat.
 */
#include "host/library.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "names/modules.h"
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <stddef.h>

#define MAY_READ 4 /* R_OK */

static char library[PATH_MAX];
static uint64_t library_device, library_inode;

void library__learn(void) {
    for (unsigned i = 0; i < modules__count(); i++) {
        const struct nsd_module *module = modules__at(i);
        struct sys_stat stat;
        size_t length, before = 0;

        if (!module->is_shim || module->path == NULL)
            continue;
        length = string__length(module->path);
        if (module->path[0] != '/') {
            long got = SYS2(__NR_getcwd, library, sizeof library);

            if (got <= 0)
                return;
            before = (size_t) got; /* counts the NUL, which becomes the slash */
            library[before - 1] = '/';
        }
        if (before + length + 1 > sizeof library || sys__stat(module->path, &stat) != 0) {
            library[0] = '\0';
            return;
        }
        memory__copy(library + before, module->path, length + 1);
        library_device = stat.device;
        library_inode = stat.inode;
        return;
    }
}

const char *library__path(void) {
    return library;
}

static bool is_the_library(const struct sys_stat *stat) {
    return stat->device == library_device && stat->inode == library_inode;
}

bool library__is_at(const char *path) {
    struct sys_stat stat;

    return sys__stat(path, &stat) == 0 && is_the_library(&stat);
}

static const char no_path[] =
    "the library cannot be reached from the caller's root, so what comes after exec is not watched";
static const char may_not_read[] =
    "what comes after exec may not read the library and is not watched";
static const char may_not_execute[] =
    "the library's mount or a policy forbids to execute it, so what comes after exec is not "
    "watched";

static bool is_forbidden(long error) {
    return error == -EACCES || error == -EPERM;
}

/* What the loader maps first: the file's beginning, as code. */
static bool may_map(int fd) {
    long at = sys__mmap(NULL, NSD_PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

    if (!SYS_IS_ERROR(at))
        sys__munmap((void *) at, NSD_PAGE_SIZE);
    return !is_forbidden(at);
}

/*
 * A process that gave up being root can still open everything by capabilities, which exec takes
 * away. access(2) asks without them (fs/open.c, access_override_creds).
 */
static bool may_read_after_exec(void) {
    return SYS0(__NR_geteuid) == 0 ||
           !is_forbidden(SYS3(__NR_faccessat, AT_FDCWD, library, MAY_READ));
}

/* A seccomp filter may refuse fstat; that proves nothing, because newer loaders use newfstatat. */
static bool leads_to_library(int fd) {
    struct sys_stat stat;

    return sys__fstat(fd, &stat) == 0 ? is_the_library(&stat) : library__is_at(library);
}

const char *library__refusal(void) {
    const char *why = NULL;
    long fd;

    if (library[0] == '\0')
        return no_path;
    fd = sys__openat(AT_FDCWD, library, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (is_forbidden(fd))
        return may_not_read;
    /* Without a free descriptor the look by name has to do. */
    if (fd == -EMFILE || fd == -ENFILE)
        return library__is_at(library) ? NULL : no_path;
    if (SYS_IS_ERROR(fd))
        return no_path;
    if (!leads_to_library((int) fd))
        why = no_path;
    else if (!may_map((int) fd))
        why = may_not_execute;
    else if (!may_read_after_exec())
        why = may_not_read;
    sys__close((int) fd);
    return why;
}
