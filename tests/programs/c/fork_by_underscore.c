/*
 * _Fork (glibc 2.34), which runs no handlers of pthread_atfork: the child is a process of its own,
 * with one thread, and moves. Must be reported: nothing.
 */
#include "host.h"

static sem_t never;

static void *idle(void *unused) {
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&never, 0, 0);
    start(idle, NULL);
    pid_t child = _Fork();
    must(child >= 0, "_Fork");
    if (child == 0)
        _exit(unshare(CLONE_NEWNET) == 0 ? 5 : 6);
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
        return 71;
    puts("done");
    return 0;
}
