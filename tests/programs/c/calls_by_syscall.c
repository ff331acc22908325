/*
 * setns and unshare through the variadic syscall(), also with errors. Must be reported: a note for
 * the thread that ends away, as if it had gone by the names.
 */
#include "host.h"

static int other;

static void *worker(void *unused) {
    int home = own_namespace("net");
    must(syscall(SYS_setns, other, CLONE_NEWNET) == 0, "setns");
    must(syscall(SYS_setns, home, 0) == 0, "setns home");
    must(syscall(SYS_setns, -1, 0) == -1 && errno == EBADF, "setns(-1)");
    must(syscall(SYS_unshare, CLONE_NEWUSER) == -1 && errno == EINVAL, "unshare");
    must(syscall(SYS_unshare, CLONE_NEWUTS) == 0, "unshare");
    return unused;
}

int main(void) {
    other = other_network();
    join(start(worker, NULL));
    must(syscall(SYS_getpid) == getpid() && syscall(SYS_close, 999) == -1 && errno == EBADF, "raw");
    puts("done");
    return 0;
}
