/*
 * Whether a program can be watched, see program.h: found as execvp finds it, scripts followed to
 * their interpreter as the kernel does (fs/binfmt_script.c), then the ELF headers and the bits that
 * make the loader ignore LD_PRELOAD.
 */
#include "cli/watch/program.h"
#include "cli/watch/elf_image.h"
#include "names/elf.h"
#include "names_machine.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The kernel follows so many interpreters before it says ELOOP (exec_binprm, fs/exec.c). */
#define INTERPRETERS_MOST 5

static void verdict(struct nsd_program *program, enum nsd_program_state state, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

static void verdict(struct nsd_program *program, enum nsd_program_state state, const char *format,
                    ...) {
    va_list arguments;

    program->state = state;
    va_start(arguments, format);
    vsnprintf(program->why, sizeof program->why, format, arguments);
    va_end(arguments);
}

/* ---- where it is ---- */

static bool is_program(const char *path, int *error) {
    struct stat status;

    if (stat(path, &status) != 0) {
        *error = errno;
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        *error = EISDIR;
        return false;
    }
    if (!S_ISREG(status.st_mode) || access(path, X_OK) != 0) {
        *error = EACCES;
        return false;
    }
    return true;
}

/* As execvp: every folder of PATH in turn; "permission denied" is remembered, and goes on. */
static bool find(struct nsd_program *program, const char *name) {
    const char *path = getenv("PATH");
    int error = ENOENT, one;

    if (strchr(name, '/') != NULL) {
        snprintf(program->path, sizeof program->path, "%s", name);
        if (is_program(name, &error))
            return true;
    } else {
        for (const char *at = path != NULL ? path : "/bin:/usr/bin"; *name != '\0';) {
            size_t length = strcspn(at, ":");

            if (length == 0)
                snprintf(program->path, sizeof program->path, "./%s", name);
            else
                snprintf(program->path, sizeof program->path, "%.*s/%s", (int) length, at, name);
            if (is_program(program->path, &one))
                return true;
            if (one == EACCES || one == EISDIR)
                error = EACCES;
            if (at[length] == '\0')
                break;
            at += length + 1;
        }
    }
    if (error == EACCES)
        verdict(program, NSD_PROGRAM_ABSENT, "%s is not executable", name);
    else if (error == EISDIR)
        verdict(program, NSD_PROGRAM_ABSENT, "%s is a folder, not a program", name);
    else if (error == ENOENT)
        verdict(program, NSD_PROGRAM_ABSENT, "there is no program %s", name);
    else
        verdict(program, NSD_PROGRAM_ABSENT, "%s: %s", name, strerror(error));
    return false;
}

/* The interpreter of a #! line into `to`; false if there is none. */
static bool interpreter_of(const char *head, size_t size, char *to, size_t room) {
    size_t at = 2, length;

    while (at < size && (head[at] == ' ' || head[at] == '\t'))
        at++;
    for (length = 0; at + length < size && strchr(" \t\n", head[at + length]) == NULL;)
        length++;
    if (length == 0 || length >= room)
        return false;
    memcpy(to, head + at, length);
    to[length] = '\0';
    return true;
}

/*
 * Follows scripts to the ELF file that will run. What is neither is run by the shell, as execvp and
 * the shells do on ENOEXEC.
 */
static bool find_image(struct nsd_program *program) {
    snprintf(program->image, sizeof program->image, "%s", program->path);
    for (unsigned i = 0; i <= INTERPRETERS_MOST; i++) {
        char head[256] = {0};
        int fd = open(program->image, O_RDONLY | O_CLOEXEC);
        ssize_t got;

        if (fd < 0) {
            if (errno == EACCES) /* may be run but not read: the kernel and the loader can */
                verdict(program, NSD_PROGRAM_UNWATCHABLE,
                        "%s cannot be read, so nobody can tell "
                        "whether it can be watched",
                        program->image);
            else
                verdict(program, NSD_PROGRAM_ABSENT, "%s: %s", program->image, strerror(errno));
            return false;
        }
        got = read(fd, head, sizeof head - 1);
        close(fd);
        if (got >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
            return true;
        if (got < 3 || head[0] != '#' || head[1] != '!')
            snprintf(program->image, sizeof program->image, "/bin/sh");
        else if (!interpreter_of(head, (size_t) got, program->image, sizeof program->image)) {
            verdict(program, NSD_PROGRAM_ABSENT, "%s: its first line names no interpreter",
                    program->path);
            return false;
        }
    }
    verdict(program, NSD_PROGRAM_ABSENT, "%s: too many interpreters", program->path);
    return false;
}

/* ---- which kind of program it is ---- */

static bool is_asan(const char *library) {
    return strncmp(library, "libasan.so", 10) == 0 || strncmp(library, "libclang_rt.asan", 16) == 0;
}

static bool string_is_asan(const struct nsd_elf_image *image, uint64_t offset) {
    const char *name = elf_image__part(image, offset, 1);

    return name != NULL && memchr(name, '\0', image->size - offset) != NULL && is_asan(name);
}

static bool needs_asan(const struct nsd_elf_image *image, const Elf64_Phdr *dynamic) {
    uint64_t count = dynamic->p_filesz / sizeof(Elf64_Dyn), strings;
    const Elf64_Dyn *entry = elf_image__part(image, dynamic->p_offset, count * sizeof *entry);

    if (entry == NULL)
        return false;
    strings = elf_image__offset(image, elf__dynamic_value(entry, count, DT_STRTAB));
    for (uint64_t i = 0; strings != UINT64_MAX && i < count && entry[i].d_tag != DT_NULL; i++) {
        if (entry[i].d_tag == DT_NEEDED && string_is_asan(image, strings + entry[i].d_un.d_val))
            return true;
    }
    return false;
}

/*
 * A loader that is started by hand looks like a static program that can stand anywhere. glibc's and
 * musl's have a name as a library; a static-pie program has none.
 */
static bool is_loader(const struct nsd_elf_image *image, const Elf64_Phdr *dynamic) {
    uint64_t count = dynamic->p_filesz / sizeof(Elf64_Dyn);
    const Elf64_Dyn *entry = elf_image__part(image, dynamic->p_offset, count * sizeof *entry);

    for (uint64_t i = 0; entry != NULL && i < count && entry[i].d_tag != DT_NULL; i++) {
        if (entry[i].d_tag == DT_SONAME)
            return true;
    }
    return false;
}

static void look_at_elf(struct nsd_program *program, const struct nsd_elf_image *image) {
    const Elf64_Phdr *segment;
    bool loads_another = false;

    if (elf_image__header(image) == NULL) {
        verdict(program, NSD_PROGRAM_UNWATCHABLE,
                "%s is not a 64-bit " NSD_ELF_MACHINE_NAME " program: it cannot be watched",
                program->image);
        return;
    }
    for (unsigned i = 0; (segment = elf_image__segment(image, i)) != NULL; i++) {
        if (segment->p_type != PT_DYNAMIC)
            continue;
        program->needs_asan = needs_asan(image, segment);
        loads_another = is_loader(image, segment);
    }
    if (elf_image__has_interpreter(image) || loads_another)
        return;
    if (elf_image__is_go(image))
        verdict(program, NSD_PROGRAM_INJECTABLE,
                "%s is statically linked: a preload is ignored there, only 'nsdrift run' watches "
                "it",
                program->image);
    else
        verdict(program, NSD_PROGRAM_UNWATCHABLE,
                "%s is statically linked and no Go: a preload is ignored there, it cannot be "
                "watched",
                program->image);
}

/*
 * Whether the kernel would tell the loader to distrust us (AT_SECURE; cap_bprm_creds_from_file in
 * security/commoncap.c): the file changes who we are, and the mount and the process let it.
 */
static const char *privilege_of(const char *path) {
    struct statvfs mount;
    struct stat status;

    if (getuid() != geteuid() || getgid() != getegid())
        return "nsdrift itself runs set-uid";
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || stat(path, &status) != 0 ||
        (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0))
        return NULL;
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid())
        return "set-uid";
    if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0 &&
        status.st_gid != getgid())
        return "set-gid";
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return "given capabilities by its file";
    return NULL;
}

static void look_at_image(struct nsd_program *program) {
    const char *privilege = privilege_of(program->image);
    struct nsd_elf_image image;

    if (privilege != NULL) {
        verdict(program, NSD_PROGRAM_UNWATCHABLE,
                "%s is %s: a preload is ignored there, it cannot be watched", program->image,
                privilege);
        return;
    }
    elf_image__open(&image, program->image);
    look_at_elf(program, &image);
    elf_image__close(&image);
}

bool program__can_be_watched(const struct nsd_program *program) {
    return program->state == NSD_PROGRAM_WATCHABLE || program->state == NSD_PROGRAM_INJECTABLE;
}

void program__look(struct nsd_program *program, const char *name) {
    memset(program, 0, sizeof *program);
    program->state = NSD_PROGRAM_WATCHABLE;
    if (find(program, name) && find_image(program))
        look_at_image(program);
}
