/*
 * A visit by pidfd: one setns changes two kinds, two bring the thread home. Must be reported:
 * nothing.
 */
#include "host.h"
#include <signal.h>

static pid_t child;

static KEEP void visit(void) {
    int net = own_namespace("net"), uts = own_namespace("uts");
    int fd = (int) syscall(SYS_pidfd_open, child, 0);
    must(fd >= 0, "pidfd_open");
    must(setns(fd, CLONE_NEWNET | CLONE_NEWUTS) == 0, "setns");
    must(setns(net, CLONE_NEWNET) == 0 && setns(uts, 0) == 0, "setns home");
    close(fd);
    close(net);
    close(uts);
    STAY();
}

static void *worker(void *unused) {
    for (int i = 0; i < 3; i++)
        visit();
    return unused;
}

int main(void) {
    int ready[2];
    char c = 0;
    must(pipe(ready) == 0, "pipe");
    child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        if (unshare(CLONE_NEWNET | CLONE_NEWUTS) != 0 || write(ready[1], &c, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    must(read(ready[0], &c, 1) == 1, "read");
    join(start(worker, NULL));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    puts("done");
    return 0;
}
