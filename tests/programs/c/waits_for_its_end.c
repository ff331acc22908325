/*
 * A daemon whose worker is at home, or, with the argument "away", was left in another network. It
 * says "ready" and waits for the signal that ends it; it handles none.
 */
#include "host.h"
#include <stdbool.h>

static sem_t done, work;
static bool stays_away;

static KEEP void visit(void) {
    int home = own_namespace("net"), other = other_network();

    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (!stays_away)
        must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    post(&done);
    wait_for(&work);
    STAY();
}

static void *worker(void *unused) {
    visit();
    return unused;
}

int main(int argc, char **argv) {
    stays_away = argc > 1 && strcmp(argv[1], "away") == 0;
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    start(worker, NULL);
    wait_for(&done);
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
