/* An exec that fails before anything happened, then a fault. For tests of recordings. */
#include "host.h"

static int other;

KEEP static void visit(int home, int forgets) {
    must(setns(other, CLONE_NEWUTS) == 0, "setns");
    if (!forgets)
        must(setns(home, CLONE_NEWUTS) == 0, "setns");
    STAY();
}

static void *worker(void *argument) {
    int home = own_namespace("uts");
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    other = own_namespace("uts");
    must(setns(home, CLONE_NEWUTS) == 0, "setns");
    for (volatile int i = 0; i < 2; i++)
        visit(home, i == 1);
    sem_post(argument);
    pause();
    return NULL;
}

int main(void) {
    sem_t done;
    sem_init(&done, 0, 0);
    must(execl("/nowhere/at/all", "nothing", NULL) == -1 && errno == ENOENT, "ENOENT");
    start(worker, &done);
    wait_for(&done);
    return 0;
}
