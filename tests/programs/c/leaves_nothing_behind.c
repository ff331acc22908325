/*
 * Makes a fault, then takes away everything that a report could use: the environment, all
 * descriptors, the root; and kills itself. For tests of recordings: their only witness.
 */
#include "host.h"
#include <signal.h>

KEEP static void visit(int home, int away, int forgets) {
    must(setns(away, CLONE_NEWNET) == 0, "setns");
    if (forgets)
        return;
    must(setns(home, CLONE_NEWNET) == 0, "setns");
    STAY();
}

static int away;
static sem_t visited, never;

KEEP static void *worker(void *argument) {
    int home = own_namespace("net");
    (void) argument;
    for (volatile int i = 0; i < 2; i++)
        visit(home, away, i == 1);
    own_namespace("net"); /* an event after the visit: it should have come home */
    post(&visited);
    wait_for(&never);
    return NULL;
}

int main(void) {
    away = other_network();
    start(worker, NULL);
    wait_for(&visited);
    clearenv();
    must(unshare(CLONE_FS) == 0, "unshare"); /* setns and pivot_root want it */
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "tmpfs");
    must(mkdir("/mnt/old", 0700) == 0 && chdir("/mnt") == 0, "chdir");
    must(syscall(SYS_pivot_root, ".", "old") == 0, "pivot_root");
    must(chdir("/") == 0 && umount2("/old", MNT_DETACH) == 0, "umount2");
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    kill(getpid(), SIGKILL);
    return 0;
}
