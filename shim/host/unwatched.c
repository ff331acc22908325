/*
 * Naming unwatched programs in the run's index (unwatched.h). Raw system calls; the only memory it
 * writes is the index.
 */
#include "host/unwatched.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "host/image.h"
#include "record/slots.h"
#include "record/writer.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Why a program is not watched. `probe` is the JSON key; `counts`: the run ends with 125. */
struct reason {
    const char *probe, *why;
    bool counts, is_go;
};

#define OF_IMAGE(...)                                                                              \
    { "image", __VA_ARGS__ }
#define OUT_OF_REACH                                                                               \
    "it was started where the folder of the recordings cannot be reached: with fewer rights, or "  \
    "behind another mount"

static const struct reason of_static = OF_IMAGE("it is statically linked, and no Go", false, false);
static const struct reason of_privileged =
    OF_IMAGE("it is set-uid, set-gid, or has file capabilities", false, false);
static const struct reason of_static_go =
    OF_IMAGE("it is a statically linked Go program that another one executed (--follow-static "
             "watches those)",
             true, true);
static const struct reason of_go_tool =
    OF_IMAGE("it is a tool of Go's own, statically linked", false, true);
static const struct reason hidden = {"folder", OUT_OF_REACH, false, false};
static const struct reason hidden_go = {"folder", OUT_OF_REACH, true, true};

/*
 * A bisect script that builds its program runs the go command, its compiler and its linker, all
 * static Go. They must not turn a run into 125, or the bisection would never see a good commit.
 * They are recognised by their places in a GOROOT.
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

/*
 * False: the program will be watched, or is of a kind that is never watched. The reason of a
 * program that cannot load the library is the coverage's. Only Go programs count.
 */
static bool find_reason(const struct nsd_next_image *next, const char *path, bool is_hidden,
                        struct reason *reason) {
    bool is_go = next->program.kind == NSD_FILE_DYNAMIC_GO;

    switch (next->program.kind) {
    case NSD_FILE_PRIVILEGED:
        *reason = of_privileged;
        return true;
    case NSD_FILE_STATIC:
        *reason = of_static;
        return true;
    case NSD_FILE_STATIC_GO:
        if (record__index_is_followed())
            return false;
        *reason = is_tool_of_go(path) ? of_go_tool : of_static_go;
        return true;
    default:
        break;
    }
    if (is_hidden)
        *reason = is_go ? hidden_go : hidden;
    else if (next->refusal != NULL)
        *reason = (struct reason) OF_IMAGE(next->refusal, is_go, is_go);
    else
        return false;
    return true;
}

static void fill(struct nsd_record_facts *facts, const struct reason *reason, int32_t pid) {
    slots__describe_unwatched(facts, &(struct nsd_unwatched){.pid = pid,
                                                             .pid_ns = nsd_image.pid_ns,
                                                             .ticks = clock__ticks(),
                                                             .wall = clock__wall(),
                                                             .probe = reason->probe,
                                                             .why = reason->why,
                                                             .counts = reason->counts,
                                                             .is_go = reason->is_go});
}

/* The entry in the index; NULL where none is needed or the index is full. */
static struct nsd_record_facts *note(const char *path, const struct nsd_next_image *next,
                                     int32_t pid, bool is_hidden) {
    struct nsd_record_facts *facts;
    struct reason reason;
    bool named;

    if (!find_reason(next, "", is_hidden, &reason))
        return NULL;
    facts = record__begin_unwatched();
    if (facts == NULL)
        return NULL;
    named = path != NULL && memory__try_string(facts->path, sizeof facts->path, path);
    if (!named)
        facts->path[0] = '\0';
    find_reason(next, facts->path, is_hidden, &reason);
    fill(facts, &reason, pid);
    record__end_unwatched(facts);
    return facts;
}

/*
 * Entries of processes that are about to exec, to be taken back if the exec fails. The pid is
 * written last and read first, sequentially consistent: a slot with a pid is complete.
 */
#define NOTED 16u
static struct {
    _Atomic int32_t pid;
    struct nsd_record_facts *facts;
} noted[NOTED];
static _Atomic uint32_t next_note;

static void remember(int32_t pid, struct nsd_record_facts *facts) {
    uint32_t i = atomic_fetch_add(&next_note, 1) % NOTED;

    noted[i].facts = facts;
    atomic_store(&noted[i].pid, pid);
}

void unwatched__note(const char *path, const struct nsd_next_image *next) {
    struct nsd_record_facts *facts;
    int32_t pid;

    if (!record__has_index() || sys__is_forbidden())
        return;
    pid = sys__getpid();
    facts = note(path, next, pid, record__folder_is_hidden());
    if (facts != NULL)
        remember(pid, facts);
}

void unwatched__note_spawned(const char *path, const struct nsd_next_image *next, int32_t pid) {
    if (path != NULL && record__has_index() && !sys__is_forbidden())
        note(path, next, pid, false);
}

void unwatched__take_back(void) {
    int32_t pid;

    if (atomic_load(&next_note) == 0 || sys__is_forbidden())
        return;
    pid = sys__getpid();
    for (unsigned i = 0; i < NOTED; i++) {
        if (atomic_load(&noted[i].pid) != pid)
            continue;
        atomic_store(&noted[i].pid, 0);
        record__take_back_unwatched(noted[i].facts);
    }
}
