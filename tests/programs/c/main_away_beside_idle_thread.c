/*
 * main enters a namespace for good beside a thread that a library keeps and that touches nothing:
 * the ordinary life of a daemon. Must be reported: no error, no warning.
 */
#include "host.h"

static sem_t gone, done, never;

static void *sibling(void *unused) {
    wait_for(&gone);
    post(&done);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&gone, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    start(sibling, NULL);
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    post(&gone);
    wait_for(&done);
    puts("done");
    return 0;
}
