/*
 * A container start in one thread: new mount namespace, private propagation, bind mount,
 * pivot_root by syscall(), umount2 of the old root, then chroot into a folder of the new one. Must
 * be reported: nothing; and nothing must be opened through the new root.
 */
#include "host.h"

int main(void) {
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "tmpfs");
    must(mkdir("/mnt/old", 0700) == 0 && mkdir("/mnt/inner", 0700) == 0, "mkdir");
    must(chdir("/mnt") == 0, "chdir");
    must(syscall(SYS_pivot_root, ".", "old") == 0, "pivot_root");
    must(chdir("/") == 0, "chdir");
    must(umount2("/old", MNT_DETACH) == 0, "umount2");
    must(chroot("/inner") == 0 && chdir("/") == 0, "chroot");
    must(mount("none", "/missing", "tmpfs", 0, NULL) == -1 && errno == ENOENT, "ENOENT");
    puts("done");
    return 0;
}
