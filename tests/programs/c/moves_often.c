/*
 * A program with one thread moves through more namespaces than nsdrift remembers as former homes:
 * it keeps the first and the newest. A thread begins in the last one; main then visits the first,
 * goes back to one of the newest and stays there, where it is at home again. Must be reported: a
 * note that the thread was born elsewhere, and nothing else.
 */
#include "host.h"

#define MOVES 9

static sem_t begun, never;

static void *idle(void *unused) {
    sem_post(&begun);
    wait_for(&never);
    return unused;
}

static KEEP void look_back(int there, int home) {
    must(setns(there, CLONE_NEWUTS) == 0, "setns");
    must(setns(home, CLONE_NEWUTS) == 0, "setns home");
    STAY();
}

int main(void) {
    int place[MOVES + 1];

    sem_init(&begun, 0, 0);
    sem_init(&never, 0, 0);
    place[0] = own_namespace("uts");
    for (int i = 1; i <= MOVES; i++) {
        must(unshare(CLONE_NEWUTS) == 0, "unshare");
        place[i] = own_namespace("uts");
    }
    start(idle, NULL);
    wait_for(&begun);
    look_back(place[0], place[MOVES]);
    must(setns(place[MOVES - 2], CLONE_NEWUTS) == 0, "setns");
    puts("done");
    return 0;
}
