/*
 * main moves to another network namespace for good, believing that the whole program does; a thread
 * that stayed at home opens a socket. Must be reported: a warning, main-switched.
 */
#include "host.h"

static sem_t gone, done, never;

static void *sibling(void *unused) {
    wait_for(&gone);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    post(&done);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&gone, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    start(sibling, NULL);
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    post(&gone);
    wait_for(&done);
    puts("done");
    return 0;
}
