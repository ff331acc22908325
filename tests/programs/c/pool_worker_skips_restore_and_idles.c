/*
 * A pool worker whose second job leaves by a path that forgets the way home, and then idles until
 * the program exits. Must be reported: a warning, left-switched.
 */
#include "host.h"

static int other;
static sem_t done, work;

static KEEP int visit(int fail) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fail) {
        close(home);
        return -1; /* the fault: away for good */
    }
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
    return 0;
}

static void *worker(void *unused) {
    for (int job = 0; job < 2; job++) {
        visit(job == 1);
        post(&done);
        wait_for(&work);
    }
    return unused;
}

int main(void) {
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    other = other_network();
    start(worker, NULL);
    for (int job = 0; job < 2; job++) {
        wait_for(&done);
        if (job < 2 - 1)
            post(&work);
    }
    puts("done");
    return 0;
}
