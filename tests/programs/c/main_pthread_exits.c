/*
 * The main thread ends by pthread_exit where it always was, others work on. Must be reported:
 * nothing.
 */
#include "host.h"

static pthread_t leader;
static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    join(leader);
    visit();
    puts("done");
    fflush(stdout);
    return unused;
}

int main(void) {
    leader = pthread_self();
    other = other_network();
    start(worker, NULL);
    pthread_exit(NULL);
}
