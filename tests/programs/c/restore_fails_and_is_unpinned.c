/*
 * The way home fails, and the worker takes back its pin all the same and lives on idle. Must be
 * reported: restore-failed, an error; that it was unpinned away is its consequence.
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
    int failed = setns(home, CLONE_NEWNET);
    nsdrift_thread_unpin(); /* the fault: nobody has looked at the result */
    return failed;
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
