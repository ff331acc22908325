/*
 * A worker takes back its last pin while it is away, and comes home afterwards. Must be reported:
 * unlocked-while-switched, an error.
 */
#include "host.h"

#include "../../../include/nsdrift.h"

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    nsdrift_thread_pin();
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    nsdrift_thread_unpin(); /* the fault: one line too early */
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    visit();
    return unused;
}

int main(void) {
    other = other_network();
    join(start(worker, NULL));
    puts("done");
    return 0;
}
