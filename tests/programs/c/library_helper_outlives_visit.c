/*
 * A library starts a helper thread during a visit; the visitor goes home, the helper stays in the
 * other namespace for good. Must be reported: a warning, born-switched.
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

static void *idle(void *unused) {
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&never, 0, 0);
    sem_init(&started, 0, 0);
    other = other_network();
    start(idle, NULL);
    visit();
    puts("done");
    return 0;
}
