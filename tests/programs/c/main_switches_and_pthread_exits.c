/*
 * The main thread enters another namespace and then ends by pthread_exit while others work on: from
 * now on /proc/PID/ns tells everybody outside the wrong thing. Must be reported: an error,
 * main-switched.
 */
#include "host.h"

static pthread_t leader;

static void *worker(void *unused) {
    join(leader);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    puts("done");
    fflush(stdout);
    return unused;
}

int main(void) {
    leader = pthread_self();
    start(worker, NULL);
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    pthread_exit(NULL);
}
