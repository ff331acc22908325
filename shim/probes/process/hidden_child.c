/*
 * Programs out of sight, see hidden_child.h: of another user who may not enter the folder, or
 * behind a file system that was mounted over it. Static ones are static_child.c's, since they would
 * not be watched anywhere. Raw system calls, and memory of the index alone.
 */
#include "probes/process/hidden_child.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/process/identity.h"
#include "probes/process/image.h"
#include "record/writer.h"
#include <elf.h>
#include <stdatomic.h>
#include <stdbool.h>

static const char why[] = "it was started where the folder of the recordings cannot be reached: "
                          "with fewer rights, or behind another mount";

#define HEADERS_MOST 24u

enum kind { STATIC, OTHER, GO };

/* Notes follow each other in a segment; the one of Go's linker comes after those of C's. */
static bool has_go_note(int fd, const Elf64_Phdr *header) {
    char notes[256];
    long got =
        header->p_type == PT_NOTE ? sys__pread(fd, notes, sizeof notes, header->p_offset) : 0;
    uint64_t room = got < 0 ? 0 : (uint64_t) got, at = 0;

    if (room > header->p_filesz)
        room = header->p_filesz;
    while (at + sizeof(Elf64_Nhdr) + 4 <= room) {
        Elf64_Nhdr note;

        memory__copy(&note, notes + at, sizeof note);
        at += sizeof note;
        if (note.n_type == 4 && note.n_namesz == 4 && memory__equal(notes + at, "Go\0", 4))
            return true;
        at += (((uint64_t) note.n_namesz + 3) & ~UINT64_C(3)) +
              (((uint64_t) note.n_descsz + 3) & ~UINT64_C(3));
    }
    return false;
}

/* What cannot be read, or is a script, is OTHER. */
static enum kind kind_of(int fd) {
    struct {
        Elf64_Ehdr elf;
        Elf64_Phdr headers[HEADERS_MOST];
    } head;
    long got = sys__pread(fd, &head, sizeof head, 0);
    bool is_dynamic = false, is_go = false;

    if (got < (long) sizeof head.elf || !memory__equal(head.elf.e_ident, ELFMAG, SELFMAG) ||
        head.elf.e_ident[EI_CLASS] != ELFCLASS64 || head.elf.e_phoff != sizeof head.elf ||
        head.elf.e_phnum > HEADERS_MOST ||
        got < (long) (sizeof head.elf + head.elf.e_phnum * sizeof(Elf64_Phdr)))
        return OTHER;
    for (unsigned i = 0; i < head.elf.e_phnum; i++) {
        is_dynamic = is_dynamic || head.headers[i].p_type == PT_INTERP;
        is_go = is_go || has_go_note(fd, &head.headers[i]);
    }
    if (!is_dynamic)
        return STATIC;
    return is_go ? GO : OTHER;
}

static enum kind look_at(int folder, const char *path) {
    enum kind kind;
    long fd;

    if (path == NULL)
        return OTHER;
    fd = sys__openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (SYS_IS_ERROR(fd))
        return OTHER;
    kind = kind_of((int) fd);
    sys__close((int) fd);
    return kind;
}

/* Those who wrote something down, for the case that their exec comes back. */
#define NOTED 16u
static struct {
    _Atomic int32_t pid;
    struct nsd_record_facts *facts;
} noted[NOTED];
static _Atomic uint32_t next;

static void fill(struct nsd_record_facts *facts, const char *path, bool is_go) {
    static const char probe[] = "folder"; /* as the command knows it */

    if (path == NULL || !memory__try_string(facts->path, sizeof facts->path, path))
        facts->path[0] = '\0';
    facts->pid = facts->leader = sys__getpid();
    facts->pid_ns = nsd_image.pid_ns;
    facts->start_ticks = facts->last_ticks = clock__ticks();
    facts->start_wall = facts->last_wall = clock__wall();
    facts->threads = 1;
    facts->ended = NSD_RECORD_EXIT;
    facts->flags = is_go ? NSD_RECORD_IS_GO | NSD_RECORD_GO_UNKNOWN : 0u;
    /* No probe, then what is missing. */
    memory__copy(facts->words + 1, probe, sizeof probe);
    memory__copy(facts->words + 1 + sizeof probe, why, sizeof why);
}

void hidden_child__note(int folder, const char *path) {
    struct nsd_record_facts *facts;
    enum kind kind;
    uint32_t i;

    if (!record__has_index() || identity__is_quiet() || !record__folder_is_hidden())
        return;
    kind = look_at(folder, path);
    if (kind == STATIC)
        return;
    facts = record__begin_unwatched();
    if (facts == NULL)
        return;
    fill(facts, path, kind == GO);
    record__end_unwatched(facts);
    i = atomic_fetch_add(&next, 1) % NOTED;
    noted[i].facts = facts;
    atomic_store(&noted[i].pid, facts->pid);
}

void hidden_child__take_back(void) {
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
