/*
 * Closes descriptor 2 at once, and with the argument `reused` gives its number to a file of its own
 * (descriptor 2 is then "data" in the current folder). A worker skips a restore. Must be reported:
 * nothing into that file; with log_path the warning, left-switched.
 */
#include "host.h"

static int other;
static volatile int jobs = 2; /* so that the loop stays a loop: one call, one stack */

static KEEP int visit(int fail) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fail)
        return -1; /* the fault */
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
    return 0;
}

static sem_t done, never;

static void *worker(void *unused) {
    for (int job = 0; job < jobs; job++)
        visit(job == 1);
    post(&done);
    wait_for(&never);
    return unused;
}

int main(int argc, char **argv) {
    close(2);
    if (argc > 1 && !strcmp(argv[1], "reused")) {
        int fd = open("data", O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd != 2)
            return 71;
        if (write(fd, "mine", 4) != 4)
            return 72;
    }
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    other = other_network();
    start(worker, NULL);
    wait_for(&done);
    puts("done");
    return 4;
}
