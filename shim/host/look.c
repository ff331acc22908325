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

#define LOOKS 3

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

/* False if the kernel has the thread in another namespace than the ledger, in any kind. */
static bool thread_agrees(struct nsd_ledger *ledger, int32_t tid) {
    bool agrees = true;

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        struct nsd_identity identity;

        /* Unreadable: the thread has died, or the link has no target yet (pid_for_children). */
        if (identity__of_thread(tid, (enum nsd_kind) kind, &identity) != 0)
            continue;
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

static bool thread_agrees_at_last(struct nsd_ledger *ledger, int32_t tid) {
    for (unsigned look = 0; look < LOOKS; look++) {
        if (thread_agrees(ledger, tid))
            return true;
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

enum nsd_cross_check look__cross_check(struct nsd_ledger *ledger) {
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
            if (!thread_agrees_at_last(ledger, (int32_t) tid))
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
