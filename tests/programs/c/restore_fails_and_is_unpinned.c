/*
 * The way home fails, and the worker takes back its pin all the same; that a second way home works
 * comes too late. Must be reported: restore-failed, an error, with the unpinning as its
 * consequence.
 */
#include "host.h"

#include "../../../include/nsdrift.h"

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net"), second_way_home = own_namespace("net");
    nsdrift_thread_pin();
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    close(home); /* a descriptor closed once too early */
    must(setns(home, CLONE_NEWNET) != 0, "setns by a closed descriptor");
    nsdrift_thread_unpin(); /* the fault */
    must(setns(second_way_home, CLONE_NEWNET) == 0, "setns home");
    close(second_way_home);
    STAY();
}

static void *worker(void *unused) {
    visit();
    return unused;
}

int main(void) {
    other = other_network();
    join(start(worker, NULL));
    puts("done");
    return 0;
}
