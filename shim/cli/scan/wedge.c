/*
 * Reads m0 of a running Go program, see wedge.h. A child process of ours maps the executable's
 * segments at the addresses where the program has them and copies the program's writable memory
 * over them. Finder and decoder (shim/goruntime) then work as they do inside a program. m0 itself
 * is read from the program's memory.
 */
#include "cli/scan/wedge.h"
#include "cli/scan/tasks.h"
#include "cli/watch/auxiliary.h"
#include "cli/watch/elf_image.h"
#include "goruntime/runtime.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define HEADERS_MOST 64
/* More writable data than this is not copied. Text is mapped, and may have any size. */
#define OVERLAY_MOST (512u << 20)

struct other {
    pid_t pid;
    int file, memory;
    char path[64];
    Elf64_Phdr headers[HEADERS_MOST];
    unsigned header_count;
    uint64_t base;
};

static void because(struct nsd_wedge *wedge, const char *what, int error) {
    if (error != 0)
        snprintf(wedge->why, sizeof wedge->why, "%s: %s", what, strerror(error));
    else
        snprintf(wedge->why, sizeof wedge->why, "%s", what);
}

/* ---- the program's segments ---- */

static bool read_file(const void *context, uint64_t at, void *to, size_t size) {
    const struct other *other = context;

    return pread(other->file, to, size, (off_t) at) == (ssize_t) size;
}

static bool read_headers(struct other *other) {
    uint64_t at = auxiliary__value(other->pid, AT_PHDR);
    Elf64_Ehdr elf;

    other->header_count =
        elf__read_headers(read_file, other, 0, &elf, other->headers, HEADERS_MOST);
    if (at == 0 || other->header_count == 0 || !elf__is_of_machine(&elf))
        return false;
    for (unsigned i = 0; i < other->header_count; i++) {
        const Elf64_Phdr *header = &other->headers[i];

        if (header->p_type == PT_LOAD && elf.e_phoff >= header->p_offset &&
            elf.e_phoff - header->p_offset < header->p_filesz) {
            other->base = at - (header->p_vaddr + (elf.e_phoff - header->p_offset));
            return true;
        }
    }
    return false;
}

static bool read_memory(const struct other *other, uint64_t at, void *to, size_t size) {
    return pread(other->memory, to, size, (off_t) at) == (ssize_t) size;
}

/* Maps one segment at its address in the program. False if our own memory is in the way. */
static bool lay_out(const struct other *other, const Elf64_Phdr *header) {
    uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE), start, end, file_end;
    bool writable = (header->p_flags & PF_W) != 0;
    void *at;

    start = (other->base + header->p_vaddr) & ~(page - 1);
    end = (other->base + header->p_vaddr + header->p_memsz + page - 1) & ~(page - 1);
    file_end = (other->base + header->p_vaddr + header->p_filesz + page - 1) & ~(page - 1);
    if (header->p_filesz == 0 || end <= start)
        return true;
    at = mmap((void *) start, file_end - start, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_FIXED_NOREPLACE, other->file,
              (off_t) (header->p_offset & ~(page - 1)));
    if (at != (void *) start)
        return false;
    if (!writable || other->memory < 0)
        return true;
    /* Writable pages: the loader relocated them, and the program has written to them. */
    return header->p_filesz <= OVERLAY_MOST &&
           read_memory(other, other->base + header->p_vaddr,
                       (void *) (other->base + header->p_vaddr), header->p_filesz);
}

static bool lay_out_all(struct other *other, struct nsd_module *module) {
    module->path = other->path;
    module->base = other->base;
    module->headers = other->headers;
    module->header_count = other->header_count;
    module->start = UINTPTR_MAX;
    for (unsigned i = 0; i < other->header_count; i++) {
        const Elf64_Phdr *header = &other->headers[i];
        uintptr_t start = other->base + header->p_vaddr, end = start + header->p_memsz;

        if (header->p_type != PT_LOAD)
            continue;
        if (!lay_out(other, header))
            return false;
        module->start = start < module->start ? start : module->start;
        module->end = end > module->end ? end : module->end;
        if ((header->p_flags & PF_X) != 0) {
            module->text_start = start;
            module->text_end = end;
        }
    }
    return true;
}

static bool is_go_by_file(const struct other *other) {
    struct nsd_elf_image image;
    bool is_go = elf_image__open(&image, other->path) && elf_image__has_go_mark(&image);

    elf_image__close(&image);
    return is_go;
}

/* ---- m0 ---- */

struct first_m {
    uint64_t procid, curg, lockedg;
    uint32_t locked_ext, locked_int;
};

static bool read_m(const struct other *other, const struct nsd_go_runtime *runtime,
                   struct first_m *m) {
    const struct nsd_go_offsets *offset = &runtime->offsets;

    return read_memory(other, runtime->m0 + offset->m_procid, &m->procid, 8) &&
           read_memory(other, runtime->m0 + offset->m_curg, &m->curg, 8) &&
           read_memory(other, runtime->m0 + offset->m_lockedg, &m->lockedg, 8) &&
           read_memory(other, runtime->m0 + offset->m_locked_ext, &m->locked_ext, 4) &&
           read_memory(other, runtime->m0 + offset->m_locked_int, &m->locked_int, 4);
}

/*
 * goexit0 of a locked goroutine unties it from its M (lockedg, curg) and goes to mexit, which parks
 * m0 for good, without touching lockedExt (runtime/proc.go, 1.10 and later). Whenever else the
 * count is not 0, lockedg is set.
 */
static void judge(const struct other *other, const struct nsd_go_runtime *runtime,
                  struct nsd_wedge *wedge) {
    struct first_m m = {0}, again = {0};
    int looks = 0;

    do {
        if (!read_m(other, runtime, &m) || !read_m(other, runtime, &again)) {
            because(wedge, "its memory cannot be read", errno);
            return;
        }
    } while (memcmp(&m, &again, sizeof m) != 0 && ++looks < 100);
    if (m.procid != tasks__own_number(other->pid) || m.locked_ext > 1000000 ||
        m.locked_int > 1000000) {
        because(wedge, "what should be its first M is none", 0);
    } else if (m.lockedg != 0) {
        wedge->state = NSD_WEDGE_LOCKED;
        if (!read_memory(other, m.lockedg + runtime->offsets.g_goid, &wedge->goroutine, 8))
            wedge->goroutine = 0;
    } else if (m.locked_ext != 0 && m.curg == 0) {
        wedge->state = NSD_WEDGE_CERTAIN;
    } else {
        wedge->state = NSD_WEDGE_FREE;
    }
}

/* Tells the parent what is known so far: the next step may crash this process. */
static void tell(int to, const struct nsd_wedge *wedge) {
    if (write(to, wedge, sizeof *wedge) != (ssize_t) sizeof *wedge)
        _exit(1);
}

static void look(int to, pid_t pid) {
    static struct nsd_go_runtime runtime;
    static struct nsd_module module;
    static struct nsd_wedge wedge;
    static struct other other;
    int denied;

    other.pid = pid;
    snprintf(other.path, sizeof other.path, "/proc/%d/mem", (int) pid);
    other.memory = open(other.path, O_RDONLY | O_CLOEXEC);
    denied = errno;
    snprintf(other.path, sizeof other.path, "/proc/%d/exe", (int) pid);
    other.file = open(other.path, O_RDONLY | O_CLOEXEC);
    /* The file tells whether the program is Go; m0 is in its memory. */
    if (other.file < 0 || !read_headers(&other))
        return;
    if (!lay_out_all(&other, &module)) {
        if (is_go_by_file(&other)) {
            wedge.state = NSD_WEDGE_UNKNOWN;
            because(&wedge, "its segments could not be laid out here", 0);
            tell(to, &wedge);
        }
        return;
    }
    if (!runtime__find(&module, &runtime))
        return;
    snprintf(wedge.version, sizeof wedge.version, "%s", runtime.version);
    wedge.state = NSD_WEDGE_UNKNOWN;
    because(&wedge, "its runtime could not be read", 0);
    tell(to, &wedge);
    if (other.memory < 0)
        because(&wedge, "its memory cannot be read", denied);
    else if (!runtime__decode(&runtime) || runtime.m0 == 0)
        because(&wedge, runtime.why != NULL ? runtime.why : "its m0 was not found", 0);
    else
        judge(&other, &runtime, &wedge);
    tell(to, &wedge);
}

/* ---- in a child ---- */

/* The child follows pointers that may be wrong. If it crashes, the parent goes on. */
static void look_apart(int to, pid_t pid) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
    look(to, pid);
    _exit(0);
}

void wedge__look(struct nsd_wedge *wedge, pid_t pid) {
    struct pollfd answer;
    struct nsd_wedge said;
    int ends[2];
    pid_t child;

    memset(wedge, 0, sizeof *wedge);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    child = fork();
    if (child == 0)
        look_apart(ends[1], pid);
    close(ends[1]);
    answer = (struct pollfd){.fd = ends[0], .events = POLLIN};
    while (child > 0 && poll(&answer, 1, PATIENCE_MS) == 1 &&
           read(ends[0], &said, sizeof said) == (ssize_t) sizeof said)
        *wedge = said;
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
}
