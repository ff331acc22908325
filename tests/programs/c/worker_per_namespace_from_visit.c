/*
 * main enters one namespace after the other and creates a worker inside each, itself: the workers
 * belong there. Must be reported: no error, no warning.
 */
#include "host.h"

static sem_t ready, never;

static void *worker(void *unused) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    post(&ready);
    wait_for(&never);
    return unused;
}

static KEEP void populate(const int *others, int count) {
    int home = own_namespace("net");
    for (int i = 0; i < count; i++) {
        must(setns(others[i], CLONE_NEWNET) == 0, "setns");
        pthread_t thread;
        must(pthread_create(&thread, NULL, worker, NULL) == 0, "pthread_create");
        must(setns(home, CLONE_NEWNET) == 0, "setns home");
    }
    close(home);
    STAY();
}

int main(void) {
    int others[3];
    sem_init(&ready, 0, 0);
    sem_init(&never, 0, 0);
    for (int i = 0; i < 3; i++)
        others[i] = other_network();
    populate(others, 3);
    for (int i = 0; i < 3; i++)
        wait_for(&ready);
    puts("done");
    return 0;
}
