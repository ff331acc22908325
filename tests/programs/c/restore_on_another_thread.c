/*
 * What an asynchronous runtime does to code without thread affinity: one thread saves its namespace
 * and switches, the way home is gone by another one. Must be reported: a warning, split-sequence.
 */
#include "host.h"

static int home;
static sem_t switched, restored, never;

static void *first(void *unused) {
    home = own_namespace("net");
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    post(&switched);
    wait_for(&never);
    return unused;
}

static void *second(void *unused) {
    wait_for(&switched);
    must(setns(home, CLONE_NEWNET) == 0, "setns"); /* changes nothing */
    post(&restored);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&switched, 0, 0);
    sem_init(&restored, 0, 0);
    sem_init(&never, 0, 0);
    start(first, NULL);
    start(second, NULL);
    wait_for(&restored);
    puts("done");
    return 0;
}
