/*
 * A program with one thread moves: the whole process moves with it. Must be reported: nothing.
 */
#include "host.h"

int main(void) {
    must(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount");
    must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "mount");
    must(sethostname("elsewhere", 9) == 0, "sethostname");
    must(umount2("/mnt", MNT_DETACH) == 0, "umount2");
    puts("done");
    return 0;
}
