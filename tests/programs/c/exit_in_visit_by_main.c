/*
 * exit() by main in the middle of a visit, beside another thread: the process ends, nothing is left
 * behind. Must be reported: no error, no warning.
 */
#include "host.h"

static sem_t never;

static void *idle(void *unused) {
    wait_for(&never);
    return unused;
}

static KEEP void visit(int other, int stop) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (stop) {
        puts("done");
        exit(3);
    }
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

int main(void) {
    sem_init(&never, 0, 0);
    int other = other_network();
    start(idle, NULL);
    for (int i = 0; i < 3; i++)
        visit(other, i == 2);
    return 0;
}
