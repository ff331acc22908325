/*
 * The way home fails (its descriptor is closed already), nobody looks at the result, and the worker
 * makes its next socket in the wrong namespace. Must be reported: an error, restore-failed.
 */
#include "host.h"

static int other;
static sem_t done, never;

static KEEP int visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    close(home); /* a descriptor closed once too early */
    if (setns(home, CLONE_NEWNET) != 0)
        return -1;
    STAY();
    return 0;
}

static void *worker(void *unused) {
    visit();
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    post(&done);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    other = other_network();
    start(worker, NULL);
    wait_for(&done);
    puts("done");
    return 0;
}
