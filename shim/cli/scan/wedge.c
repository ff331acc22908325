/*
 * Reads m0 of a running Go program, see wedge.h. The executable's segments are laid out in a child
 * process of ours at the very addresses where the other has them, what is written there overlaid
 * from its memory, so that the probe's own finder and decoder (shim/probes/go) can be asked as if
 * it were their own program. m0 itself is then read from the other's memory.
 */
#include "cli/scan/wedge.h"
#include "cli/scan/tasks.h"
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
/* Data that a program of a sane size does not have; the text is mapped and may be of any size. */
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

/* ---- laying it out ---- */

/* AT_PHDR of the other's auxiliary vector: where the kernel put its program headers. */
static uint64_t headers_address(const struct other *other) {
    Elf64_auxv_t entry[64];
    uint64_t address = 0;
    char path[64];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/auxv", (int) other->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, entry, sizeof entry);
    close(fd);
    for (ssize_t i = 0; i < got / (ssize_t) sizeof entry[0]; i++) {
        if (entry[i].a_type == AT_PHDR)
            address = entry[i].a_un.a_val;
    }
    return address;
}

static bool read_headers(struct other *other) {
    uint64_t at = headers_address(other);
    Elf64_Ehdr elf;
    ssize_t size;

    if (at == 0 || pread(other->file, &elf, sizeof elf, 0) != (ssize_t) sizeof elf ||
        memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
        elf.e_machine != EM_X86_64 || elf.e_phentsize != sizeof(Elf64_Phdr) ||
        elf.e_phnum > HEADERS_MOST)
        return false;
    size = (ssize_t) (elf.e_phnum * sizeof(Elf64_Phdr));
    if (pread(other->file, other->headers, (size_t) size, (off_t) elf.e_phoff) != size)
        return false;
    other->header_count = elf.e_phnum;
    for (unsigned i = 0; i < elf.e_phnum; i++) {
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

/* One segment, at the address that it has there. False: something of ours is there already. */
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
    /* The relocated words, and what the program has written since. */
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

/* The mark of the build information, which is in every Go program (debug/buildinfo). */
static bool is_go_by_file(const struct other *other) {
    static const char mark[] = "\xff Go buildinf:";
    off_t size = lseek(other->file, 0, SEEK_END);
    void *bytes =
        size > 0 ? mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, other->file, 0) : MAP_FAILED;

    return bytes != MAP_FAILED && memmem(bytes, (size_t) size, mark, sizeof mark - 1) != NULL;
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

/* Tells what is known so far; what comes later may be this process' end. */
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
    /* Whether it is Go stands in the file, what it has written meanwhile does not. */
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

/* It reads what others wrote, at addresses that others chose: it may crash, and nobody cares. */
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
