/*
 * Each wrapped call made wrong, with errno set beforehand and looked at afterwards; and calls that
 * succeed, which must leave errno alone. Prints every result. Must be reported: nothing; and the
 * output is the native one.
 */
#include "host.h"

static void show(const char *name, long result) {
    printf("%s = %ld errno %d\n", name, result, errno);
    errno = 4242;
}

static void *idle(void *unused) {
    return unused;
}

int main(void) {
    errno = 4242;
    show("setns", setns(-1, 0));
    show("setns", setns(0, CLONE_NEWNET));
    show("unshare", unshare(0x7fffffff));
    show("unshare", unshare(0));
    show("mount", mount("none", "/nowhere", "tmpfs", 0, NULL));
    show("umount", umount("/nowhere"));
    show("umount2", umount2("/nowhere", 0));
    show("chroot", chroot("/nowhere"));
#ifdef __GLIBC__
    show("open_tree", open_tree(-1, "x", 0));
    show("move_mount", move_mount(-1, "x", -1, "y", 0));
#endif
    show("pivot_root", syscall(SYS_pivot_root, "/nowhere", "/nowhere"));
    show("socket", socket(AF_INET, 77, 0));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    show("socket", fd);
    show("dup", dup(-1));
    show("close", close(fd));
    show("close", close(fd));
    show("open", open("/proc/self/ns/nothing", O_RDONLY));
    show("open", open((char *) 1, O_RDONLY));
    show("openat", openat(AT_FDCWD, "/nowhere", O_RDONLY));
    show("execve", execve("/nowhere", (char *[]){"x", NULL}, environ));
    show("close_range", syscall(SYS_close_range, 50, 40, 0));
    show("close_range", syscall(SYS_close_range, 50, 60, 0));
#ifdef __GLIBC__
    show("close_range", close_range(50, 40, 0));
    show("close_range", close_range(50, 60, 0));
#endif
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    show("pthread_create", pthread_create(&thread, &attributes, idle, NULL));
    show("pthread_join", pthread_join(thread, NULL));
    show("waitpid", waitpid(-1, NULL, WNOHANG));
    return 0;
}
