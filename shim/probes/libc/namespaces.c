/*
 * setns and unshare. Before the call the thread's own namespaces are made known to the ledger and
 * the descriptor is asked where it leads; after it nothing is asked, but for a pidfd.
 */
#include "probes/libc/namespaces.h"

#include "ledger/kinds.h"
#include "host/libc/next.h"
#include "calls/observe.h"
#include "host/libc/prototypes.h"
#include "probes/libc/threads.h"
#include "host/identity.h"
#include "intake/observed.h"

#include <asm/errno.h>
#include <linux/sched.h>

/* Before its thread's first switch, and where that left the next place unknown. */
static void observe(const struct nsd_event *event) {
    if (observed__has(event->tid, event->kinds))
        return;
    threads__adopt(event->tid);
    submit__observe(event->tid, event->kinds);
}

bool namespaces__setns_begin(struct nsd_event *event, int fd, int type) {
    int known = identity__of_descriptor(fd, (uint32_t) type, &event->identity[0]);

    event->arguments[0] = (uint64_t) (int64_t) fd;
    event->arguments[1] = (uint32_t) type;
    if (known == 0) {
        event->identities = 1;
        event->from_descriptor = true;
        event->kinds = NSD_KIND_BIT(event->identity[0].kind);
    } else {
        event->kinds = kinds__of_flags((uint32_t) type);
    }
    observe(event);
    return known == -ENOTTY && type != 0;
}

long namespaces__setns_end(struct nsd_event *event, bool by_pidfd, long result) {
    if (by_pidfd && result == 0)
        identity__fill(event, 0, event->kinds);
    return observe__end(event, result);
}

void namespaces__unshare_begin(struct nsd_event *event, int flags) {
    /* kernel/fork.c, ksys_unshare: a new user or mnt namespace takes a private fs with it. */
    bool private_fs = (flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)) != 0;

    event->arguments[0] = (uint32_t) flags;
    event->kinds = kinds__of_flags((uint32_t) flags);
    observe(event);
    if (private_fs)
        event->kinds |= NSD_PRIVATE_FS;
    if ((flags & CLONE_FILES) != 0)
        event->kinds |= NSD_PRIVATE_FILES;
}

int setns(int fd, int type) {
    struct nsd_event event;
    bool by_pidfd;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_SETNS, NSD_SITE()))
        return NEXT(setns)(fd, type);
    by_pidfd = namespaces__setns_begin(&event, fd, type);
    return (int) namespaces__setns_end(&event, by_pidfd, NEXT(setns)(fd, type));
}

int unshare(int flags) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_UNSHARE, NSD_SITE()))
        return NEXT(unshare)(flags);
    namespaces__unshare_begin(&event, flags);
    return (int) observe__end(&event, NEXT(unshare)(flags));
}
