/*
 * Workers that go to the namespace of the next job, home or not, before each job, by one call in
 * one place, and stay where the last one was: one idles there until exit, one ends there. Must be
 * reported: notes, as for any thread that has its namespace by plan.
 */
#include "host.h"

static int places[3]; /* home, and two others */
static sem_t done, work;

KEEP static void enter(int fd) {
    must(setns(fd, CLONE_NEWNET) == 0, "setns");
    STAY();
}

static void serve(const char *jobs) {
    int here = 0;

    for (; *jobs != '\0'; jobs++) {
        int next = *jobs - '0';

        if (next != here)
            enter(places[next]);
        here = next;
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        must(fd >= 0 && close(fd) == 0, "socket");
    }
}

static void *idles(void *unused) {
    serve("010210201");
    post(&done);
    wait_for(&work);
    return unused;
}

static void *ends(void *unused) {
    serve("0120102");
    return unused;
}

int main(void) {
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    places[0] = own_namespace("net");
    places[1] = other_network();
    places[2] = other_network();
    start(idles, NULL);
    wait_for(&done);
    join(start(ends, NULL));
    puts("done");
    return 0;
}
