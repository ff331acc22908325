/*
 * The first way home fails, the second one succeeds: nothing was done in between. Must be
 * reported: nothing.
 */
#include "host.h"

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(-1, CLONE_NEWNET) == -1 && errno == EBADF, "setns(-1)");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    visit();
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    close(fd);
    return unused;
}

int main(void) {
    other = other_network();
    join(start(worker, NULL));
    puts("done");
    return 0;
}
