/*
 * Descriptors that lead to namespaces: the meanings of open, dup and close in all their forms, and
 * of the mount calls that may return such a descriptor. Called through the rows of table.h.
 * Programs make these calls all the time, so the calls that do not matter must cost no more than a
 * look at a flag, and an open a look at the first bytes of its path.
 */
#include "calls/opening.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "calls/meanings.h"
#include "host/identity.h"
#include "host/proc_path.h"
#include "intake/language.h"
#include "intake/submit.h"
#include "ledger/kinds.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <stdatomic.h>

#define PATH_MOST 256

/* <linux/close_range.h> and <linux/mount.h> of older systems lack some of these. */
#define CLOSE_RANGE_MARKS_ONLY 4u  /* CLOSE_RANGE_CLOEXEC: nothing is closed yet */
#define OPEN_TREE_CLONES 1u        /* OPEN_TREE_CLONE */
#define OPEN_TREE_CLOSES 02000000u /* OPEN_TREE_CLOEXEC */
#define AT_FLAGS 0x9900u           /* AT_RECURSIVE, _EMPTY_PATH, _NO_AUTOMOUNT, _SYMLINK_NOFOLLOW */
#define FSMOUNT_CLOSES 1u          /* FSMOUNT_CLOEXEC */

/*
 * One bit for each descriptor that was seen to lead to a namespace, so that closing any other costs
 * one load: some programs close thousands. In a program with a Go runtime every descriptor counts
 * as known, and so does each beyond the table. Relaxed: the bit publishes nothing, and the number
 * of the descriptor reaches other threads by the program's own synchronisation.
 */
#define DESCRIPTORS 4096u

static _Atomic uint64_t known[DESCRIPTORS / 64];

static bool is_known(unsigned fd) {
    if (fd >= DESCRIPTORS || language__is_known())
        return true;
    return (atomic_load_explicit(&known[fd / 64], memory_order_relaxed) >> (fd % 64) & 1) != 0;
}

bool opening__may_lead(int fd) {
    return fd >= 0 && is_known((unsigned) fd);
}

static void set_known(unsigned fd, bool is) {
    uint64_t bit = 1ull << (fd % 64);

    if (fd >= DESCRIPTORS)
        return;
    if (is)
        atomic_fetch_or_explicit(&known[fd / 64], bit, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&known[fd / 64], ~bit, memory_order_relaxed);
}

/*
 * Hands in an OPEN event for the descriptor that the call returned, if it leads to a namespace.
 * `path` is what the call's path says about it.
 */
static void record_opened(struct nsd_ongoing *ongoing, const struct nsd_proc_path *path) {
    struct nsd_event *event = &ongoing->event;
    int fd = (int) ongoing->result, answer;

    if (!calls__prepare(ongoing, NSD_CALL_OPEN))
        return;
    answer = identity__of_descriptor(fd, 0, &event->identity[0]);
    if (answer != 0) {
        /* A filter that answers with an error hides a namespace that the path has named. */
        if (path->kinds != 0 && (answer == -EPERM || answer == -ENOSYS) && !sys__is_forbidden())
            submit__count_lost();
        return;
    }
    event->identities = 1;
    event->from_descriptor = true;
    /* ns/pid and ns/pid_for_children give descriptors that look alike: the path decides. */
    event->kinds = path->kinds != 0 ? path->kinds : NSD_KIND_BIT(event->identity[0].kind);
    if (submit__any_switch())
        ongoing->entrance->capture(ongoing);
    set_known((unsigned) fd, true);
    memory__fill(event->arguments, 0, sizeof event->arguments);
    event->arguments[0] = (uint64_t) fd;
    event->path_owner = (uint8_t) path->owner;
    event->other_tid = path->tid;
    calls__hand_in(ongoing);
}

/*
 * The kernel has just read the path, so its first bytes can be looked at as they are; the rest by a
 * copy that cannot fault.
 */
void calls__after_open(struct nsd_ongoing *ongoing) {
    unsigned place = ongoing->meaning->watch == NSD_WATCH_PATH_1 ? 0 : 1;
    const char *path = (const char *) ongoing->argument[place];
    struct nsd_proc_path read;
    char copy[PATH_MOST];

    if (ongoing->result < 0 || !proc_path__may_lead(path) ||
        !memory__try_string(copy, sizeof copy, path) || !proc_path__read(copy, &read))
        return;
    record_opened(ongoing, &read);
}

/*
 * With OPEN_TREE_NAMESPACE (Linux 7.0) and FSMOUNT_NAMESPACE (7.1) the descriptor is a mnt
 * namespace's. Flags that are not known here may mean the same, so the descriptor itself is asked.
 */
static void after_mount_descriptor(struct nsd_ongoing *ongoing, uint64_t flags, uint64_t plain) {
    const struct nsd_proc_path no_path = {.owner = NSD_PATH_OTHER};

    calls__record(ongoing);
    if (ongoing->result >= 0 && ((uint32_t) flags & ~plain) != 0)
        record_opened(ongoing, &no_path);
}

void calls__after_open_tree(struct nsd_ongoing *ongoing) {
    after_mount_descriptor(ongoing, ongoing->argument[2],
                           OPEN_TREE_CLONES | OPEN_TREE_CLOSES | AT_FLAGS);
}

void calls__after_fsmount(struct nsd_ongoing *ongoing) {
    after_mount_descriptor(ongoing, ongoing->argument[1], FSMOUNT_CLOSES);
}

void calls__after_dup(struct nsd_ongoing *ongoing) {
    int fd = (int) ongoing->argument[0], copy = (int) ongoing->result;
    bool leads, led; /* the original, and what a dup2 has closed */

    if (!submit__any_descriptor() || fd < 0 || copy < 0)
        return;
    leads = is_known((unsigned) fd);
    led = is_known((unsigned) copy);
    if ((!leads && !led) || !calls__prepare(ongoing, NSD_CALL_DUP))
        return;
    set_known((unsigned) copy, leads);
    calls__hand_in(ongoing);
}

void calls__after_fcntl(struct nsd_ongoing *ongoing) {
    int command = (int) ongoing->argument[1];

    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        calls__after_dup(ongoing);
}

/* Recorded before the call: afterwards another thread may already reuse one of the numbers. */
static void record_closing(struct nsd_ongoing *ongoing, unsigned first, unsigned last) {
    if ((first == last && !is_known(first)) || !calls__prepare(ongoing, NSD_CALL_CLOSE))
        return;
    for (unsigned fd = first; fd <= last && fd < DESCRIPTORS; fd++)
        set_known(fd, false);
    ongoing->event.arguments[0] = first;
    ongoing->event.arguments[1] = last;
    submit__event(&ongoing->event);
}

void calls__before_close(struct nsd_ongoing *ongoing) {
    int fd = (int) ongoing->argument[0];

    if (fd >= 0)
        record_closing(ongoing, (unsigned) fd, (unsigned) fd);
}

void calls__before_close_range(struct nsd_ongoing *ongoing) {
    unsigned first = (unsigned) ongoing->argument[0], last = (unsigned) ongoing->argument[1];

    if (first <= last && (ongoing->argument[2] & CLOSE_RANGE_MARKS_ONLY) == 0)
        record_closing(ongoing, first, last);
}
