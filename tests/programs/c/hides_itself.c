/*
 * May not be looked at by others (PR_SET_DUMPABLE 0), as daemons that hold keys are: a worker whose
 * second visit forgets the way home, and then idles until the program exits. Without the rights of
 * root it makes itself a user and a network namespace, and its own files in /proc are another's.
 * Must be reported: a warning, left-switched; not that the worker was born away: it went by itself.
 */
#include "host.h"
#include <sys/prctl.h>

static sem_t done, work;

static KEEP void visit(int fail) {
    int home = own_namespace("net");
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    if (!fail) /* the fault: away for good */
        must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
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
    if (geteuid() != 0)
        must(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "unshare(CLONE_NEWUSER)");
    must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "prctl");
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    start(worker, NULL);
    wait_for(&done);
    post(&work);
    wait_for(&done);
    puts("done");
    return 0;
}
