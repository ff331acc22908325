/*
 * An exec that comes back, twice, after a worker has skipped a restore; then the program exits.
 * Must be reported: left-switched, a warning, once for the whole run.
 */
#include "host.h"

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
    for (int i = 0; i < 2; i++)
        if (execl("/nowhere/at-all", "at-all", (char *) NULL) != -1 || errno != ENOENT)
            return 71;
    puts("done");
    return 0;
}
