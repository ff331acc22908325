/*
 * The way home fails, and the worker stays pinned and idle: nobody works in the wrong namespace.
 * Must be reported: restore-failed, a note.
 */
#include "host.h"

#include "../../../include/nsdrift.h"

static int other;
static sem_t done, never;

static KEEP int visit(void) {
    int home = own_namespace("net");
    nsdrift_thread_pin();
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    close(home); /* a descriptor closed once too early */
    if (setns(home, CLONE_NEWNET) != 0)
        return -1;
    nsdrift_thread_unpin();
    STAY();
    return 0;
}

static void *worker(void *unused) {
    visit();
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
