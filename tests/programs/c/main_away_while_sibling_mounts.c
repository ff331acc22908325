/*
 * main moves to another mount namespace for good; a thread that stayed at home mounts afterwards,
 * in the old one. Must be reported: a warning, main-switched.
 */
#include "host.h"

static sem_t gone, done, never;

static void *sibling(void *unused) {
    wait_for(&gone);
    must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "mount");
    must(umount("/mnt") == 0, "umount");
    post(&done);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&gone, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    start(sibling, NULL);
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "make private");
    post(&gone);
    wait_for(&done);
    puts("done");
    return 0;
}
