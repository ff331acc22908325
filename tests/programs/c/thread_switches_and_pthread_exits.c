/*
 * As thread_switches_and_returns, but the thread ends by pthread_exit. Must be reported: one note,
 * died-switched.
 */
#include "host.h"

static void *errand(void *unused) {
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    pthread_exit(unused);
}

int main(void) {
    join(start(errand, NULL));
    puts("done");
    return 0;
}
