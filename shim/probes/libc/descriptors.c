/*
 * open, dup, close and their kin, as far as a namespace is at their other end, and socket. These
 * are calls that programs make all the time: what they pay is a flag, and for an open the first
 * bytes of its path.
 */
#include "probes/libc/descriptors.h"

#include "base/memory.h"
#include "ledger/kinds.h"
#include "host/libc/next.h"
#include "host/proc_path.h"
#include "host/libc/prototypes.h"
#include "host/identity.h"
#include "intake/language.h"

#include <linux/fcntl.h>
#include <stdarg.h>

#define FAMILY_UNIX 1
#define PATH_MOST 256

/*
 * Which descriptors the wrappers saw leading to a namespace: so that closing all the others, which
 * some programs do by the thousand, costs a bit. What Go code opened is not in here, so with a Go
 * runtime about every descriptor is taken as known, and so are those beyond the table.
 */
#define DESCRIPTORS 4096u

static _Atomic uint64_t known[DESCRIPTORS / 64];

static bool is_known(unsigned fd) {
    if (!submit__any_descriptor())
        return false;
    if (fd >= DESCRIPTORS || language__is_known())
        return true;
    return (atomic_load_explicit(&known[fd / 64], memory_order_relaxed) >> (fd % 64) & 1) != 0;
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
 * The kernel has just read the path, so its first bytes can be looked at as they are; the rest by a
 * copy that cannot fault.
 */
int descriptors__opened(const struct nsd_site *site, const char *path, int fd) {
    struct nsd_proc_path read;
    struct nsd_event event;
    char copy[PATH_MOST];

    if (fd < 0 || !proc_path__may_lead(path) || !memory__try_string(copy, sizeof(copy), path) ||
        !proc_path__read(copy, &read) || !observe__begin(&event, NSD_CALL_OPEN, NULL))
        return fd;
    if (identity__of_descriptor(fd, 0, &event.identity[0]) == 0) {
        event.identities = 1;
        event.from_descriptor = true;
        event.kinds = NSD_KIND_BIT(event.identity[0].kind);
    }
    /* The link says "pid", the descriptor cannot say whether it is the children's. */
    if (read.kinds != 0)
        event.kinds = read.kinds;
    if (event.identities == 0)
        return fd;
    if (submit__any_switch())
        observe__stack(&event, site);
    set_known((unsigned) fd, true);
    event.arguments[0] = (uint64_t) fd;
    event.path_owner = (uint8_t) read.owner;
    event.other_tid = read.tid;
    return (int) observe__end(&event, fd);
}

int descriptors__copied(int fd, int copy) {
    struct nsd_event event;
    bool leads, led; /* the original, and what a dup2 has closed */

    if (fd < 0 || copy < 0)
        return copy;
    leads = is_known((unsigned) fd);
    led = is_known((unsigned) copy);
    if ((!leads && !led) || !observe__begin(&event, NSD_CALL_DUP, NULL))
        return copy;
    set_known((unsigned) copy, leads);
    event.arguments[0] = (uint64_t) fd;
    return (int) observe__end(&event, copy);
}

void descriptors__closing(unsigned first, unsigned last) {
    struct nsd_event event;

    if (first == last ? !is_known(first) : !submit__any_descriptor())
        return;
    if (!observe__begin(&event, NSD_CALL_CLOSE, NULL))
        return;
    for (unsigned fd = first; fd <= last && fd < DESCRIPTORS; fd++)
        set_known(fd, false);
    event.arguments[0] = first;
    event.arguments[1] = last;
    submit__event(&event);
}

bool descriptors__socket_begin(struct nsd_event *event, const struct nsd_site *site, int family,
                               int type, int protocol) {
    if (family == FAMILY_UNIX || !submit__any_switch() ||
        !observe__begin(event, NSD_CALL_SOCKET, site))
        return false;
    event->arguments[0] = (uint32_t) family;
    event->arguments[1] = (uint32_t) type;
    event->arguments[2] = (uint32_t) protocol;
    event->kinds = NSD_KIND_BIT(NSD_KIND_NET);
    return true;
}

bool descriptors__is_copy(int command) {
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

/* The mode stands in a register or is not read by the real function: passing it on never harms. */
#define NSD_MODE(mode, last)                                                                       \
    do {                                                                                           \
        va_list rest_;                                                                             \
                                                                                                   \
        va_start(rest_, last);                                                                     \
        mode = va_arg(rest_, long);                                                                \
        va_end(rest_);                                                                             \
    } while (0)

int open(const char *path, int flags, ...) {
    long mode;
    int fd;

    NSD_MODE(mode, flags);
    fd = NEXT(open)(path, flags, mode);
    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int open64(const char *path, int flags, ...) {
    long mode;
    int fd;

    NSD_MODE(mode, flags);
    fd = NEXT(open64)(path, flags, mode);
    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int openat(int folder, const char *path, int flags, ...) {
    long mode;
    int fd;

    NSD_MODE(mode, flags);
    fd = NEXT(openat)(folder, path, flags, mode);
    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int openat64(int folder, const char *path, int flags, ...) {
    long mode;
    int fd;

    NSD_MODE(mode, flags);
    fd = NEXT(openat64)(folder, path, flags, mode);
    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

/* What _FORTIFY_SOURCE makes of an open whose flags the compiler does not know. */
int __open_2(const char *path, int flags) {
    int fd = NEXT(__open_2)(path, flags);

    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int __open64_2(const char *path, int flags) {
    int fd = NEXT(__open64_2)(path, flags);

    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int __openat_2(int folder, const char *path, int flags) {
    int fd = NEXT(__openat_2)(folder, path, flags);

    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int __openat64_2(int folder, const char *path, int flags) {
    int fd = NEXT(__openat64_2)(folder, path, flags);

    return nsd_on ? descriptors__opened(NSD_SITE(), path, fd) : fd;
}

int dup(int fd) {
    int copy = NEXT(dup)(fd);

    return nsd_on ? descriptors__copied(fd, copy) : copy;
}

int dup2(int fd, int as) {
    int copy = NEXT(dup2)(fd, as);

    return nsd_on ? descriptors__copied(fd, copy) : copy;
}

int dup3(int fd, int as, int flags) {
    int copy = NEXT(dup3)(fd, as, flags);

    return nsd_on ? descriptors__copied(fd, copy) : copy;
}

int fcntl(int fd, int command, ...) {
    long argument;
    int result;

    NSD_MODE(argument, command);
    result = NEXT(fcntl)(fd, command, argument);
    return nsd_on && descriptors__is_copy(command) ? descriptors__copied(fd, result) : result;
}

int fcntl64(int fd, int command, ...) {
    long argument;
    int result;

    NSD_MODE(argument, command);
    result = NEXT(fcntl64)(fd, command, argument);
    return nsd_on && descriptors__is_copy(command) ? descriptors__copied(fd, result) : result;
}

int close(int fd) {
    if (nsd_on && fd >= 0)
        descriptors__closing((unsigned) fd, (unsigned) fd);
    return NEXT(close)(fd);
}

int close_range(unsigned first, unsigned last, int flags) {
    /* CLOSE_RANGE_CLOEXEC closes nothing yet. */
    if (nsd_on && first <= last && (flags & 4) == 0)
        descriptors__closing(first, last);
    return NEXT(close_range)(first, last, flags);
}

int socket(int family, int type, int protocol) {
    struct nsd_event event;

    if (!nsd_on || !descriptors__socket_begin(&event, NSD_SITE(), family, type, protocol))
        return NEXT(socket)(family, type, protocol);
    return (int) observe__end(&event, NEXT(socket)(family, type, protocol));
}
