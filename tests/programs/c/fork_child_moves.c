/*
 * fork() in a program with threads: the child has one thread and moves as a whole, then execs.
 * Must be reported: nothing.
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
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child == 0) {
            must(unshare(CLONE_NEWNET | CLONE_NEWUTS) == 0, "unshare");
            if (i == 0)
                execl("/bin/sh", "sh", "-c", "exit 5", (char *) NULL);
            _exit(5);
        }
        int status;
        must(waitpid(child, &status, 0) == child, "waitpid");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
            return 71;
    }
    puts("done");
    return 0;
}
