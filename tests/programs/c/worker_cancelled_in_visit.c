/*
 * A worker is cancelled while it is on a visit: its thread ends away from home, and nobody else is
 * touched by that. Must be reported: one note, died-switched.
 */
#include "host.h"

static int other;
static sem_t inside;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    post(&inside);
    for (;;)
        pause();
    setns(home, CLONE_NEWNET);
    STAY();
}

static void *worker(void *unused) {
    visit();
    return unused;
}

int main(void) {
    sem_init(&inside, 0, 0);
    other = other_network();
    pthread_t thread = start(worker, NULL);
    wait_for(&inside);
    pthread_cancel(thread);
    join(thread);
    puts("done");
    return 0;
}
