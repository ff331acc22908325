/*
 * Another thread calls exit() while main is on a visit. Must be reported: no error, no warning.
 */
#include "host.h"

static sem_t inside, never;

static void *stopper(void *unused) {
    wait_for(&inside);
    puts("done");
    exit(3);
    return unused;
}

static KEEP void visit(int other, int stop) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (stop) {
        post(&inside);
        wait_for(&never);
    }
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

int main(void) {
    sem_init(&inside, 0, 0);
    sem_init(&never, 0, 0);
    int other = other_network();
    start(stopper, NULL);
    for (int i = 0; i < 3; i++)
        visit(other, i == 2);
    return 0;
}
