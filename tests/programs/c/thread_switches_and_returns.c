/*
 * A thread made for one errand: enters its own namespaces and ends there by returning, as planned.
 * Must be reported: one note, died-switched.
 */
#include "host.h"

static void *errand(void *unused) {
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    return unused;
}

int main(void) {
    join(start(errand, NULL));
    puts("done");
    return 0;
}
