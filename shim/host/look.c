/*
 * Reading /proc/self/task (look.h). Reached from reports, which may run in a signal handler or
 * right before an exec: raw system calls only, and none once the host has a seccomp filter.
 */
#include "host/look.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "base/text.h"
#include "host/identity.h"
#include "names/thread_name.h"
#include "record/writer.h"
#include <linux/fcntl.h>

/*
 * Looks at a thread that differs, about a millisecond apart: so many while it sleeps, so many in
 * all. Once one thread differs for good, the others need not be waited for.
 */
#define LOOKS_ASLEEP 10
#define LOOKS_MOST 250

/* The kernel's struct linux_dirent64. */
struct folder_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

/*
 * io_uring's workers are kernel threads in our thread group. They make no calls that we could see
 * (io_uring/io-wq.c names them iou-wrk-TID and iou-sqp-TID).
 */
static bool is_kernel_worker(int32_t tid) {
    char name[NSD_THREAD_NAME_MOST];

    return thread_name__read(tid, name) && string__begins(name, "iou-");
}

/* Where a thread is, for the kernel and for the ledger; 0 and NULL where that cannot be read. */
struct whereabouts {
    uint64_t inode[NSD_KINDS];
    const struct nsd_label *label[NSD_KINDS];
};

/* False if the kernel has the thread in another namespace than the ledger, in any kind. */
static bool thread_agrees(struct nsd_ledger *ledger, int32_t tid, struct whereabouts *now) {
    bool agrees = true;

    memory__fill(now, 0, sizeof *now);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        const struct nsd_thread *thread = ledger__thread(ledger, tid);
        struct nsd_identity identity;

        /* Unreadable: the thread has died, or the link has no target yet (pid_for_children). */
        if (identity__of_thread(tid, (enum nsd_kind) kind, &identity) != 0)
            continue;
        now->inode[kind] = identity.inode;
        now->label[kind] = thread != NULL ? thread->label[kind] : NULL;
        switch (ledger__compare(ledger, tid, (enum nsd_kind) kind, &identity)) {
        case NSD_COMPARE_DIFFERS:
            agrees = false;
            break;
        case NSD_COMPARE_LEARNT:
            record__learnt(tid, (enum nsd_kind) kind, &identity);
            break;
        default:
            break;
        }
    }
    return agrees;
}

/* The thread has switched between the two looks. */
static bool has_moved(const struct whereabouts *before, const struct whereabouts *now) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if (before->inode[kind] != now->inode[kind] || before->label[kind] != now->label[kind])
            return true;
    }
    return false;
}

/* It waits in a call that a signal may end (proc(5), the third field of stat). */
static bool is_asleep(int32_t tid) {
    char path[64], line[128];
    struct nsd_text text;
    long fd, size;

    text__begin(&text, path, sizeof path);
    text__put(&text, "/proc/self/task/");
    text__signed(&text, tid);
    text__put(&text, "/stat");
    fd = sys__openat(AT_FDCWD, text__string(&text), O_RDONLY | O_CLOEXEC, 0);
    if (SYS_IS_ERROR(fd))
        return true;
    size = sys__read((int) fd, line, sizeof line);
    sys__close((int) fd);
    /* A name may hold anything; nothing behind it has a bracket. */
    for (long at = size - 3; at > 0; at--) {
        if (line[at] == ')')
            return line[at + 2] == 'S';
    }
    return true;
}

/*
 * A thread whose setns has done its work and has not come back yet differs, and may do so for long
 * where more threads want to run than there are processors. It runs meanwhile, and then moves or
 * agrees.
 */
static bool thread_agrees_at_last(struct nsd_ledger *ledger, int32_t tid, bool waits,
                                  void (*between)(void)) {
    struct whereabouts before, now;
    unsigned asleep = 0;

    for (unsigned look = 0; look < LOOKS_MOST && asleep < LOOKS_ASLEEP; look++) {
        if (look > 0)
            between();
        if (thread_agrees(ledger, tid, &now) || (look > 0 && has_moved(&before, &now)))
            return true;
        if (!waits)
            break;
        asleep += is_asleep(tid);
        before = now;
    }
    return is_kernel_worker(tid);
}

/*
 * /proc may belong to another pid namespace: its names are not our tids then, and nothing can be
 * concluded from them.
 */
static bool proc_is_ours(void) {
    char link[24];
    uint64_t pid;
    long size = sys__readlinkat(AT_FDCWD, "/proc/self", link, sizeof link);

    return size > 0 && text__parse_unsigned(link, link + size, &pid) &&
           pid == (uint64_t) sys__getpid();
}

enum nsd_cross_check look__cross_check(struct nsd_ledger *ledger, void (*between)(void)) {
    char buffer[4096];
    bool agrees = true;
    long folder, size;

    if (sys__is_forbidden() || !proc_is_ours())
        return NSD_CROSS_IMPOSSIBLE;
    folder = sys__openat(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (SYS_IS_ERROR(folder))
        return NSD_CROSS_IMPOSSIBLE;
    while ((size = sys__getdents64((int) folder, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size;) {
            const struct folder_entry *entry = (const struct folder_entry *) (buffer + at);
            uint64_t tid;

            at += entry->size;
            if (!text__parse_unsigned(entry->name, entry->name + string__length(entry->name), &tid))
                continue;
            if (!thread_agrees_at_last(ledger, (int32_t) tid, agrees, between))
                agrees = false;
        }
    }
    sys__close((int) folder);
    if (size < 0)
        return NSD_CROSS_IMPOSSIBLE;
    return agrees ? NSD_CROSS_AGREES : NSD_CROSS_DIFFERS;
}

bool look__read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                     uint64_t *value) {
    (void) context;
    (void) tid;
    if (stack_pointer != 0 && address < stack_pointer)
        return false;
    return memory__try_copy(value, (const void *) address, sizeof *value) == sizeof *value;
}
