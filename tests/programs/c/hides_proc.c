/*
 * A worker visits another network and comes home; then main mounts an empty file system over /proc,
 * in a mount namespace of its own, and ends. Nothing is wrong, but nobody can look at the threads
 * in the end.
 */
#include "host.h"

static sem_t done, work;

static KEEP void visit(int other) {
    int home = own_namespace("net");

    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *other) {
    visit(*(int *) other);
    post(&done);
    wait_for(&work);
    return NULL;
}

int main(void) {
    int other;

    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount /");
    other = other_network();
    start(worker, &other);
    wait_for(&done);
    must(mount("none", "/proc", "tmpfs", 0, NULL) == 0, "mount /proc");
    puts("done");
    return 0;
}
