/*
 * Four threads, each in a network namespace of its own for good, still at work when the program
 * exits: a plan, not a fault. Must be reported: no error, no warning; a note for each thread.
 */
#include "host.h"

static sem_t ready, never;

static void *server(void *unused) {
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0, "socket");
    post(&ready);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&ready, 0, 0);
    sem_init(&never, 0, 0);
    for (int i = 0; i < 4; i++)
        start(server, NULL);
    for (int i = 0; i < 4; i++)
        wait_for(&ready);
    puts("done");
    return 0;
}
