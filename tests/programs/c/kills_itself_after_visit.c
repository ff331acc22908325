/*
 * A worker that skips its second restore; then the process is killed by a signal that nobody can
 * handle. Only a recording can report it: a warning, left-switched, and that it did not end.
 */
#include "host.h"
#include <signal.h>

static int other;
static volatile int jobs = 2; /* so that the loop stays a loop: one call, one stack */
static sem_t done, never;

static KEEP int visit(int fail) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fail)
        return -1; /* the fault */
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
    return 0;
}

static void *worker(void *unused) {
    for (int job = 0; job < jobs; job++)
        visit(job == 1);
    /* An event after the visit: who is still away then has forgotten to go home. */
    close(socket(AF_INET, SOCK_DGRAM, 0));
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
    kill(getpid(), SIGKILL);
    return 0;
}
