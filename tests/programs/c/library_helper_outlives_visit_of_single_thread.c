/*
 * As library_helper_outlives_visit, but the program has one thread when the visit begins: the
 * helper is the second. The switch looks like a move of the whole process until main goes home.
 * Must be reported: a warning, born-switched.
 */
#include "host.h"

static int other;
static sem_t never, started;

static void *helper(void *unused) {
    post(&started);
    wait_for(&never);
    return unused;
}

/* What a library does behind its caller's back: a thread for its own purposes. */
static KEEP void library_call(void) {
    start(helper, NULL);
    wait_for(&started);
    STAY();
}

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    library_call();
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

int main(void) {
    sem_init(&never, 0, 0);
    sem_init(&started, 0, 0);
    other = other_network();
    visit();
    puts("done");
    return 0;
}
