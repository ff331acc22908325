/*
 * Static children, see static_child.h. What is looked at is the first page of the file: an ELF
 * program without an interpreter, with or without the note of Go's linker. Raw system calls, and
 * memory of the index alone.
 */
#include "probes/process/static_child.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/process/identity.h"
#include "probes/process/image.h"
#include "record/writer.h"
#include <elf.h>
#include <stdatomic.h>
#include <stdbool.h>

enum kind { OTHER, STATIC, STATIC_GO, TOOL_OF_GO };

static const char *const words[] = {
    [STATIC] = "it is statically linked, and no Go",
    [STATIC_GO] = "it is a statically linked Go program that another one executed (--follow-static "
                  "watches those)",
    [TOOL_OF_GO] = "it is a tool of Go's own, statically linked",
};

/*
 * A script that builds what it then starts runs the Go command, which is static Go like its
 * compiler and linker: whoever bisects does not mean those, and would never see a good commit. By
 * the places that they have in a GOROOT.
 */
static bool is_tool_of_go(const char *path) {
    static const char *const ends[] = {"/bin/go", "/bin/gofmt"};
    static const char folder[] = "/pkg/tool/";
    size_t length = string__length(path);

    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t size = string__length(ends[i]);

        if (length >= size && string__equal(path + length - size, ends[i]))
            return true;
    }
    return memory__find(path, length, folder, sizeof folder - 1) != NULL;
}

#define HEADERS_MOST 24u

struct head {
    Elf64_Ehdr elf;
    Elf64_Phdr headers[HEADERS_MOST];
};

static bool has_go_note(int fd, const Elf64_Phdr *header) {
    struct {
        Elf64_Nhdr note;
        char name[4];
    } first;

    return header->p_type == PT_NOTE &&
           sys__pread(fd, &first, sizeof first, header->p_offset) == sizeof first &&
           first.note.n_type == 4 && first.note.n_namesz == 4 &&
           memory__equal(first.name, "Go\0", 4);
}

static enum kind kind_of(int fd) {
    enum kind kind = STATIC;
    struct head head;
    long got = sys__pread(fd, &head, sizeof head, 0);

    if (got < (long) sizeof head.elf || !memory__equal(head.elf.e_ident, ELFMAG, SELFMAG) ||
        head.elf.e_ident[EI_CLASS] != ELFCLASS64 || head.elf.e_phoff != sizeof head.elf ||
        head.elf.e_phnum > HEADERS_MOST ||
        got < (long) (sizeof head.elf + head.elf.e_phnum * sizeof(Elf64_Phdr)))
        return OTHER;
    for (unsigned i = 0; i < head.elf.e_phnum; i++) {
        if (head.headers[i].p_type == PT_INTERP)
            return OTHER;
        if (has_go_note(fd, &head.headers[i]))
            kind = STATIC_GO;
    }
    /* A loader that is started by hand looks like a static program that can stand anywhere. */
    return kind == STATIC && head.elf.e_type != ET_EXEC ? OTHER : kind;
}

static char *put(char *to, const char *string) {
    size_t size = string__length(string) + 1;

    memory__copy(to, string, size);
    return to + size;
}

/* Those who wrote something down, for the case that their exec comes back. */
#define NOTED 16u
static struct {
    _Atomic int32_t pid;
    struct nsd_record_facts *facts;
} noted[NOTED];
static _Atomic uint32_t next;

static void remember(int32_t pid, struct nsd_record_facts *facts) {
    uint32_t i = atomic_fetch_add(&next, 1) % NOTED;

    noted[i].facts = facts;
    atomic_store(&noted[i].pid, pid);
}

void static_child__take_back(void) {
    int32_t pid;

    if (atomic_load(&next) == 0 || identity__is_quiet())
        return;
    pid = sys__getpid();
    for (unsigned i = 0; i < NOTED; i++) {
        if (atomic_load(&noted[i].pid) != pid)
            continue;
        atomic_store(&noted[i].pid, 0);
        record__take_back_unwatched(noted[i].facts);
    }
}

void static_child__note(int folder, const char *path, int32_t pid) {
    struct nsd_record_facts *facts;
    enum kind kind;
    long fd;

    if (path == NULL || !record__has_index() || identity__is_quiet())
        return;
    fd = sys__openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (SYS_IS_ERROR(fd))
        return;
    kind = kind_of((int) fd);
    sys__close((int) fd);
    if (kind == OTHER || (kind == STATIC_GO && record__index_is_followed()))
        return;
    facts = record__begin_unwatched();
    if (facts == NULL)
        return;
    if (!memory__try_string(facts->path, sizeof facts->path, path))
        facts->path[0] = '\0';
    if (kind == STATIC_GO && is_tool_of_go(facts->path))
        kind = TOOL_OF_GO;
    facts->pid = facts->leader = pid != 0 ? pid : sys__getpid();
    facts->pid_ns = nsd_image.pid_ns;
    facts->start_ticks = facts->last_ticks = clock__ticks();
    facts->start_wall = facts->last_wall = clock__wall();
    facts->threads = 1;
    facts->ended = NSD_RECORD_EXIT;
    facts->flags = kind == STATIC_GO ? NSD_RECORD_IS_GO | NSD_RECORD_GO_UNKNOWN : 0u;
    put(put(put(facts->words, ""), "image"), words[kind]);
    record__end_unwatched(facts);
    if (pid == 0)
        remember(facts->pid, facts);
}
