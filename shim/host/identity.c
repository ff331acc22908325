/*
 * Which namespace a descriptor or a thread leads to (identity.h): by NS_GET_ID where the kernel has
 * it (Linux 6.18), with a table that remembers the inode of each id; by fstat elsewhere.
 */
#include "host/identity.h"
#include "base/syscall.h"
#include "base/text.h"
#include <asm/ioctl.h>
#include <linux/errno.h>
#include <stdatomic.h>
#include <stdbool.h>

/* <linux/nsfs.h> of older systems lacks the second. */
#define NS_GET_NSTYPE _IO(0xb7, 0x3)
#define NS_GET_ID _IOR(0xb7, 13, uint64_t)

/*
 * The kernel answered that it has no ids. Relaxed: it publishes nothing, and a thread that reads
 * false a moment longer only asks the kernel once more.
 */
static _Atomic bool no_ids;

static bool has_ids(void) {
    return !atomic_load_explicit(&no_ids, memory_order_relaxed);
}

/*
 * An id never changes its inode: a small direct-mapped table of the pairs. A writer claims its
 * entry with one exchange and gives up where another thread is writing, so an entry has one writer
 * at a time; it takes the id away before it changes the pair. A reader that finds its id before and
 * after the pair has read a whole pair.
 */
#define KNOWN 64u
static struct known_id {
    /* Stored with release after the pair, read with acquire before it. 0: no pair. */
    _Atomic uint64_t id;
    /* Relaxed: the id and the two fences order them. */
    _Atomic uint64_t inode;
    _Atomic uint32_t device;
    /* Acquired by a writer's exchange, released when the entry is whole again. */
    _Atomic bool is_being_written;
} known[KNOWN];

static bool recall(uint64_t id, struct nsd_identity *identity) {
    struct known_id *entry = &known[id % KNOWN];
    uint64_t inode;
    uint32_t device;

    if (atomic_load_explicit(&entry->id, memory_order_acquire) != id)
        return false;
    inode = atomic_load_explicit(&entry->inode, memory_order_relaxed);
    device = atomic_load_explicit(&entry->device, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    /* Another id took the entry meanwhile: as if this one were not known. */
    if (atomic_load_explicit(&entry->id, memory_order_relaxed) != id)
        return false;
    identity->inode = inode;
    identity->device = device;
    return true;
}

static void remember(const struct nsd_identity *identity) {
    struct known_id *entry = &known[identity->id % KNOWN];

    if (atomic_exchange_explicit(&entry->is_being_written, true, memory_order_acquire))
        return;
    atomic_store_explicit(&entry->id, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&entry->inode, identity->inode, memory_order_relaxed);
    atomic_store_explicit(&entry->device, identity->device, memory_order_relaxed);
    atomic_store_explicit(&entry->id, identity->id, memory_order_release);
    atomic_store_explicit(&entry->is_being_written, false, memory_order_release);
}

/* The kind that setns to a namespace of this CLONE_NEW* flag changes; NSD_KINDS for none or
 * several. */
static enum nsd_kind kind_of_flags(uint64_t flags) {
    nsd_kinds kinds = kinds__of_flags(flags);

    if (kinds == 0 || (kinds & (kinds - 1)) != 0)
        return NSD_KINDS;
    return (enum nsd_kind) __builtin_ctz(kinds);
}

static int by_stat(int fd, struct nsd_identity *identity) {
    struct sys_stat stat;
    long result = sys__fstat(fd, &stat);

    if (result != 0)
        return (int) result;
    identity->inode = stat.inode;
    identity->device = (uint32_t) stat.device;
    return 0;
}

int identity__of_descriptor(int fd, uint64_t flags, struct nsd_identity *identity) {
    enum nsd_kind kind = kind_of_flags(flags);
    bool is_namespace = false;
    uint64_t id = 0;
    long result;

    if (sys__is_forbidden())
        return -EPERM;
    *identity = (struct nsd_identity){0};
    if (kind == NSD_KINDS || !has_ids()) {
        result = sys__ioctl(fd, NS_GET_NSTYPE, NULL);
        if (result < 0)
            return (int) result;
        is_namespace = true;
        kind = kind_of_flags((uint64_t) result);
        if (kind == NSD_KINDS)
            return -ENOTTY;
    }
    identity->kind = kind;
    if (has_ids()) {
        result = sys__ioctl(fd, NS_GET_ID, &id);
        if (result == 0) {
            identity->id = id;
            if (recall(id, identity))
                return 0;
        } else if (result != -ENOTTY) {
            return (int) result;
        } else {
            /* No namespace, or a kernel without ids: the older question tells which. */
            if (!is_namespace) {
                result = sys__ioctl(fd, NS_GET_NSTYPE, NULL);
                if (result < 0)
                    return (int) result;
            }
            atomic_store_explicit(&no_ids, true, memory_order_relaxed);
        }
    }
    result = by_stat(fd, identity);
    if (result == 0 && identity->id != 0)
        remember(identity);
    return (int) result;
}

int identity__of_thread(int32_t tid, enum nsd_kind kind, struct nsd_identity *identity) {
    char path[64];
    struct nsd_text text;
    struct sys_stat stat;
    long result;

    if (sys__is_forbidden())
        return -EPERM;
    text__begin(&text, path, sizeof path);
    if (tid == 0) {
        text__put(&text, "/proc/thread-self/ns/");
    } else {
        text__put(&text, "/proc/self/task/");
        text__signed(&text, tid);
        text__put(&text, "/ns/");
    }
    text__put(&text, kinds__name(kind));
    result = sys__stat(text__string(&text), &stat);
    if (result != 0)
        return (int) result;
    identity->id = 0;
    identity->inode = stat.inode;
    identity->device = (uint32_t) stat.device;
    identity->kind = kind;
    return 0;
}

void identity__fill(struct nsd_event *event, int32_t tid, nsd_kinds kinds) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((kinds & NSD_KIND_BIT(kind)) == 0 || event->identities == NSD_KINDS)
            continue;
        if (identity__of_thread(tid, (enum nsd_kind) kind, &event->identity[event->identities]) ==
            0)
            event->identities++;
    }
}

uint32_t identity__kernel_threads(void) {
    struct sys_stat stat;

    if (sys__is_forbidden() || sys__stat("/proc/self/task", &stat) != 0 || stat.links < 3)
        return 0;
    return (uint32_t) (stat.links - 2);
}
