/*
 * The mount family: calls that depend on the caller's mnt namespace. Recorded with their flags and
 * their result; paths and data strings stay the host's (law 7). Nothing is asked of the kernel.
 */
#include "host/libc/next.h"
#include "calls/observe.h"
#include "host/libc/prototypes.h"

#define WORD(value) ((uint64_t) (uintptr_t) (value))
#define FD(value) ((uint64_t) (int64_t) (value))

int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_MOUNT, NSD_SITE()))
        return NEXT(mount)(source, target, type, flags, data);
    event.arguments[0] = WORD(source);
    event.arguments[1] = WORD(target);
    event.arguments[2] = WORD(type);
    event.arguments[3] = flags;
    event.arguments[4] = WORD(data);
    return (int) observe__end(&event, NEXT(mount)(source, target, type, flags, data));
}

int umount(const char *target) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_UMOUNT, NSD_SITE()))
        return NEXT(umount)(target);
    event.arguments[0] = WORD(target);
    return (int) observe__end(&event, NEXT(umount)(target));
}

int umount2(const char *target, int flags) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_UMOUNT2, NSD_SITE()))
        return NEXT(umount2)(target, flags);
    event.arguments[0] = WORD(target);
    event.arguments[1] = (uint32_t) flags;
    return (int) observe__end(&event, NEXT(umount2)(target, flags));
}

int pivot_root(const char *root, const char *old) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_PIVOT_ROOT, NSD_SITE()))
        return NEXT(pivot_root)(root, old);
    event.arguments[0] = WORD(root);
    event.arguments[1] = WORD(old);
    return (int) observe__end(&event, NEXT(pivot_root)(root, old));
}

int chroot(const char *path) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_CHROOT, NSD_SITE()))
        return NEXT(chroot)(path);
    event.arguments[0] = WORD(path);
    return (int) observe__end(&event, NEXT(chroot)(path));
}

int open_tree(int folder, const char *path, unsigned flags) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_OPEN_TREE, NSD_SITE()))
        return NEXT(open_tree)(folder, path, flags);
    event.arguments[0] = FD(folder);
    event.arguments[1] = WORD(path);
    event.arguments[2] = flags;
    return (int) observe__end(&event, NEXT(open_tree)(folder, path, flags));
}

int move_mount(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_MOVE_MOUNT, NSD_SITE()))
        return NEXT(move_mount)(from_folder, from, to_folder, to, flags);
    event.arguments[0] = FD(from_folder);
    event.arguments[1] = WORD(from);
    event.arguments[2] = FD(to_folder);
    event.arguments[3] = WORD(to);
    event.arguments[4] = flags;
    return (int) observe__end(&event, NEXT(move_mount)(from_folder, from, to_folder, to, flags));
}

int fsmount(int fd, unsigned flags, unsigned attributes) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_FSMOUNT, NSD_SITE()))
        return NEXT(fsmount)(fd, flags, attributes);
    event.arguments[0] = FD(fd);
    event.arguments[1] = flags;
    event.arguments[2] = attributes;
    return (int) observe__end(&event, NEXT(fsmount)(fd, flags, attributes));
}

int mount_setattr(int folder, const char *path, unsigned flags, void *attributes, size_t size) {
    struct nsd_event event;

    if (!nsd_on || !observe__begin(&event, NSD_CALL_MOUNT_SETATTR, NSD_SITE()))
        return NEXT(mount_setattr)(folder, path, flags, attributes, size);
    event.arguments[0] = FD(folder);
    event.arguments[1] = WORD(path);
    event.arguments[2] = flags;
    event.arguments[3] = WORD(attributes);
    event.arguments[4] = size;
    return (int) observe__end(&event, NEXT(mount_setattr)(folder, path, flags, attributes, size));
}
