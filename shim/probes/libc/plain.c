/*
 * Wrappers of functions whose parameters and result are those of their system call: one line each.
 * Called by the host; a wrapper that does more stands in the file of its family.
 */
#include "calls/opening.h"
#include "probes/libc/entrance.h"
#include <stdarg.h>

NSD_WRAPPER(setns, (int fd, int type), fd, type)
NSD_WRAPPER(unshare, (int flags), flags)

NSD_WRAPPER(mount,
            (const char *source, const char *target, const char *type, unsigned long flags,
             const void *data),
            source, target, type, flags, data)
NSD_WRAPPER(umount, (const char *target), target)
NSD_WRAPPER(umount2, (const char *target, int flags), target, flags)
NSD_WRAPPER(pivot_root, (const char *root, const char *old), root, old)
NSD_WRAPPER(chroot, (const char *path), path)
NSD_WRAPPER(open_tree, (int folder, const char *path, unsigned flags), folder, path, flags)
NSD_WRAPPER(move_mount,
            (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
            from_folder, from, to_folder, to, flags)
NSD_WRAPPER(fsmount, (int fd, unsigned flags, unsigned attributes), fd, flags, attributes)
NSD_WRAPPER(mount_setattr,
            (int folder, const char *path, unsigned flags, void *attributes, size_t size), folder,
            path, flags, attributes, size)

NSD_WRAPPER(socket, (int family, int type, int protocol), family, type, protocol)
NSD_WRAPPER(sethostname, (const char *name, size_t length), name, length)
NSD_WRAPPER(setdomainname, (const char *name, size_t length), name, length)
NSD_WRAPPER(shmget, (int key, size_t size, int flags), key, size, flags)
NSD_WRAPPER(semget, (int key, int count, int flags), key, count, flags)
NSD_WRAPPER(msgget, (int key, int flags), key, flags)
NSD_WRAPPER(__mq_open_2, (const char *name, int flags), name, flags)

NSD_WRAPPER(dup, (int fd), fd)
NSD_WRAPPER(dup2, (int fd, int as), fd, as)
NSD_WRAPPER(dup3, (int fd, int as, int flags), fd, as, flags)
NSD_WRAPPER(close_range, (unsigned first, unsigned last, int flags), first, last, flags)

/* Programs close all numbers that there could be, one after the other. */
int close(int fd) {
    struct nsd_ongoing ongoing;

    if (!NSD_IS_WATCHED(close) || !opening__may_lead(fd))
        return NEXT(close)(fd);
    NSD_BEGIN(&ongoing, close, NSD_SITE(), fd);
    calls__before(&ongoing);
    return (int) entrance__after(&ongoing, NEXT(close)(fd));
}

/* ---- with further arguments: they stand in registers, and passing them on never harms ---- */

int mq_open(const char *name, int flags, ...) {
    struct nsd_ongoing ongoing;
    unsigned long mode;
    void *attributes;
    va_list rest;

    va_start(rest, flags);
    mode = va_arg(rest, unsigned long);
    attributes = va_arg(rest, void *);
    va_end(rest);
    if (!NSD_IS_WATCHED(mq_open))
        return NEXT(mq_open)(name, flags, mode, attributes);
    NSD_BEGIN(&ongoing, mq_open, NSD_SITE(), name, flags, mode, attributes);
    calls__before(&ongoing);
    return (int) entrance__after(&ongoing, NEXT(mq_open)(name, flags, mode, attributes));
}

int prctl(int option, ...) {
    unsigned long a, b, c, d;
    struct nsd_ongoing ongoing;
    va_list rest;

    va_start(rest, option);
    a = va_arg(rest, unsigned long);
    b = va_arg(rest, unsigned long);
    c = va_arg(rest, unsigned long);
    d = va_arg(rest, unsigned long);
    va_end(rest);
    if (!NSD_IS_WATCHED(prctl))
        return NEXT(prctl)(option, a, b, c, d);
    NSD_BEGIN(&ongoing, prctl, NSD_SITE(), option, a, b, c, d);
    calls__before(&ongoing);
    return (int) entrance__after(&ongoing, NEXT(prctl)(option, a, b, c, d));
}

#define NSD_WRAPPER_OF_FCNTL(name)                                                                 \
    int name(int fd, int command, ...) {                                                           \
        struct nsd_ongoing ongoing;                                                                \
        long argument;                                                                             \
        va_list rest;                                                                              \
                                                                                                   \
        va_start(rest, command);                                                                   \
        argument = va_arg(rest, long);                                                             \
        va_end(rest);                                                                              \
        if (!NSD_IS_WATCHED(name))                                                                 \
            return NEXT(name)(fd, command, argument);                                              \
        NSD_BEGIN(&ongoing, name, NSD_SITE(), fd, command, argument);                              \
        calls__before(&ongoing);                                                                   \
        return (int) entrance__after(&ongoing, NEXT(name)(fd, command, argument));                 \
    }
NSD_WRAPPER_OF_FCNTL(fcntl)
NSD_WRAPPER_OF_FCNTL(fcntl64)
