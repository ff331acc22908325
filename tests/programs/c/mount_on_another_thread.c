/*
 * One thread makes a fresh mount namespace and then never uses it; the mount that was meant for it
 * is made by another thread, at home. Must be reported: a warning, split-sequence.
 */
#include "host.h"

static sem_t switched;

static void *first(void *unused) {
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    post(&switched);
    return unused;
}

static void *second(void *unused) {
    wait_for(&switched);
    must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "mount");
    return unused;
}

int main(void) {
    sem_init(&switched, 0, 0);
    pthread_t one = start(first, NULL), two = start(second, NULL);
    join(one);
    join(two);
    must(umount("/mnt") == 0, "umount");
    puts("done");
    return 0;
}
