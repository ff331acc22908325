/*
 * A daemon makes calls from 10,000 different stacks of some 30 frames: more than a table of fixed
 * size holds. Then main moves to another network namespace for good, while a thread that stayed at
 * home opens a socket. Must be reported: a warning, main-switched, with the line of the move.
 */
#include "host.h"

#define STACKS 10000u
#define WAYS 14 /* 2^14 stacks at the most */

static int home;
static sem_t gone, done, never;

static void *sibling(void *unused) {
    wait_for(&gone);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    post(&done);
    wait_for(&never);
    return unused;
}

static KEEP void even(unsigned way, int depth);
static KEEP void odd(unsigned way, int depth);

static KEEP void step(unsigned way, int depth) {
    if (depth == 0)
        must(setns(home, CLONE_NEWUTS) == 0, "setns");
    else if (way & 1)
        odd(way >> 1, depth - 1);
    else
        even(way >> 1, depth - 1);
    STAY();
}

static KEEP void even(unsigned way, int depth) {
    step(way, depth);
    STAY();
}

static KEEP void odd(unsigned way, int depth) {
    step(way, depth);
    STAY();
}

static KEEP void leave(void) {
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    STAY();
}

int main(void) {
    home = own_namespace("uts");
    sem_init(&gone, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    start(sibling, NULL);
    for (unsigned way = 0; way < STACKS; way++)
        step(way, WAYS);
    leave();
    post(&gone);
    wait_for(&done);
    puts("done");
    return 0;
}
