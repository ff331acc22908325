/*
 * A program with one thread moves through more namespaces than nsdrift remembers as former homes,
 * starts a thread in the last one, and goes back for a moment to the first and to the one before
 * the last, which are among those that it remembers. Must be reported: nothing.
 */
#include "host.h"

#define MOVES 9

static sem_t stop;

static void *idle(void *unused) {
    wait_for(&stop);
    return unused;
}

static KEEP void look_back(int there, int home) {
    must(setns(there, CLONE_NEWUTS) == 0, "setns");
    must(setns(home, CLONE_NEWUTS) == 0, "setns home");
    STAY();
}

int main(void) {
    int place[MOVES + 1];

    sem_init(&stop, 0, 0);
    place[0] = own_namespace("uts");
    for (int i = 1; i <= MOVES; i++) {
        must(unshare(CLONE_NEWUTS) == 0, "unshare");
        place[i] = own_namespace("uts");
    }
    pthread_t thread = start(idle, NULL);
    look_back(place[0], place[MOVES]);
    look_back(place[MOVES - 1], place[MOVES]);
    post(&stop);
    join(thread);
    puts("done");
    return 0;
}
