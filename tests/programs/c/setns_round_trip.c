/*
 * A pool thread there and back, a hundred times: saves its own network namespace, enters another,
 * makes a socket there, goes home. The correct idiom. Must be reported: nothing.
 */
#include "host.h"

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    close(fd);
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    for (int i = 0; i < 100; i++)
        visit();
    return unused;
}

int main(void) {
    other = other_network();
    join(start(worker, NULL));
    visit();
    puts("done");
    return 0;
}
