/*
 * Ends its image in the way that its argument names, after a worker has skipped a restore. Must be
 * reported, whichever way it is: the worker's left-switched, a warning, once.
 */
#include "host.h"
#include <dlfcn.h>

static int other;
static volatile int jobs = 2; /* so that the loop stays a loop: one call, one stack */
static sem_t done, never, may_end;
static pthread_t leader;

static KEEP int visit(int fail) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fail)
        return -1; /* the fault */
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
    return 0;
}

static void *worker(void *unused) {
    for (int job = 0; job < jobs; job++)
        visit(job == 1);
    post(&done);
    wait_for(&never);
    return unused;
}

static void *last(void *how) {
    join(leader);
    if (!strcmp(how, "worker-exit"))
        exit(3);
    return NULL;
}

/* For last-thread: the away worker itself is the last to go. */
static void *last_worker(void *unused) {
    for (int job = 0; job < jobs; job++)
        visit(job == 1);
    post(&done);
    join(leader);
    return unused;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "return";
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    sem_init(&may_end, 0, 0);
    leader = pthread_self();
    other = other_network();
    if (!strcmp(how, "last-thread")) {
        start(last_worker, NULL);
        wait_for(&done);
        pthread_exit(NULL);
    }
    start(worker, NULL);
    wait_for(&done);
    if (!strcmp(how, "return"))
        return 3;
    if (!strcmp(how, "exit"))
        exit(3);
    if (!strcmp(how, "_exit"))
        _exit(3);
    if (!strcmp(how, "_Exit"))
        _Exit(3);
    if (!strcmp(how, "quick_exit"))
        quick_exit(3);
    if (!strcmp(how, "exit_group"))
        syscall(SYS_exit_group, 3);
    if (!strcmp(how, "worker-exit")) {
        start(last, (void *) how);
        pthread_exit(NULL);
    }
    char *next[] = {"/bin/sh", "-c", "exit 3", NULL};
    if (!strcmp(how, "execv"))
        execv(next[0], next);
    if (!strcmp(how, "execve"))
        execve(next[0], next, environ);
    if (!strcmp(how, "execvp"))
        execvp("sh", next);
    if (!strcmp(how, "execl"))
        execl(next[0], next[0], next[1], next[2], (char *) NULL);
    if (!strcmp(how, "execle"))
        execle(next[0], next[0], next[1], next[2], (char *) NULL, environ);
    if (!strcmp(how, "execlp"))
        execlp("sh", next[0], next[1], next[2], (char *) NULL);
    if (!strcmp(how, "fexecve"))
        fexecve(open(next[0], O_RDONLY | O_CLOEXEC), next, environ);
    if (!strcmp(how, "execveat"))
        syscall(SYS_execveat, AT_FDCWD, next[0], next, environ, 0);
    if (!strcmp(how, "execve-by-syscall"))
        syscall(SYS_execve, next[0], next, environ);
    return 71;
}
