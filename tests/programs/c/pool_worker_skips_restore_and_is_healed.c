/*
 * A pool worker whose second job forgets the way home; the third job, which goes back to a
 * descriptor that was saved at start, heals it by accident. Must be reported: a warning all the
 * same, left-switched: whatever ran in between ran in the wrong namespace.
 */
#include "host.h"

static int other, home;
static volatile int jobs = 3; /* so that the loop stays a loop: one call, one stack */

static KEEP int visit(int fail) {
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fail)
        return -1; /* the fault */
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    STAY();
    return 0;
}

static void *worker(void *unused) {
    for (int job = 0; job < jobs; job++)
        visit(job == 1);
    return unused;
}

int main(void) {
    other = other_network();
    home = own_namespace("net");
    join(start(worker, NULL));
    puts("done");
    return 0;
}
