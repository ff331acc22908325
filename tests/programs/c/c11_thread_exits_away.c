/*
 * C11's threads: one visits and comes home, one ends away by thrd_exit. Must be reported: a note,
 * died-switched.
 */
#include "host.h"
#include <threads.h>

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static int visitor(void *unused) {
    (void) unused;
    visit();
    return 4;
}

static int errand(void *unused) {
    (void) unused;
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    thrd_exit(5);
}

int main(void) {
    thrd_t thread;
    int result;
    other = other_network();
    must(thrd_create(&thread, visitor, NULL) == thrd_success, "thrd_create");
    must(thrd_join(thread, &result) == thrd_success && result == 4, "thrd_join");
    must(thrd_create(&thread, errand, NULL) == thrd_success, "thrd_create");
    must(thrd_join(thread, &result) == thrd_success && result == 5, "thrd_join");
    puts("done");
    return 0;
}
