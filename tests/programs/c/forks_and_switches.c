/*
 * Forks N children, at most 16 at a time. Every tenth goes into a namespace of its own before it
 * ends; with "faulty" one of them leaves a thread there. For tests of recordings.
 */
#include "host.h"

KEEP static void *stay(void *argument) {
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    return argument;
}

static void child(long number, int faulty) {
    if (number % 10 == 0)
        must(unshare(CLONE_NEWUTS) == 0, "unshare");
    if (faulty)
        join(start(stay, NULL));
    _exit(0);
}

int main(int argc, char **argv) {
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 100, running = 0;
    int status, failed = 0;
    for (long i = 0; i < count || running > 0;) {
        if (i < count && running < 16) {
            pid_t pid = fork();
            must(pid >= 0, "fork");
            if (pid == 0)
                child(i, argc > 2 && i == count / 2);
            running++;
            i++;
            continue;
        }
        must(wait(&status) > 0, "wait");
        failed += status != 0;
        running--;
    }
    printf("%d failed\n", failed);
    return failed != 0;
}
