/*
 * What the small hosts share: one way to give up, descriptors of the caller's own namespaces, a
 * place to wait. Everything that switches stays in the hosts themselves, so that the stacks in
 * a report are theirs; these helpers are always inlined.
 */
#ifndef HOST_H
#define HOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER static inline __attribute__((always_inline, unused))
#define KEEP __attribute__((noinline, noclone))
/* After the last call of a KEEP function: no tail call, so that its frame is there. */
#define STAY() __asm__ volatile("" ::: "memory")

/* 77: cannot run here (no right to make a namespace, and the like). */
HELPER void must(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        _exit(errno == EPERM || errno == ENOSYS ? 77 : 70);
    }
}

HELPER int own_namespace(const char *kind) {
    char path[64];
    snprintf(path, sizeof path, "/proc/thread-self/ns/%s", kind);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, path);
    return fd;
}

/* A network namespace that nobody is in: made by a child that is gone when this returns. */
HELPER int other_network(void) {
    int to_parent[2], to_child[2];
    must(pipe(to_parent) == 0 && pipe(to_child) == 0, "pipe");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        char c = 0;
        if (unshare(CLONE_NEWNET) != 0)
            _exit(1);
        if (write(to_parent[1], &c, 1) != 1 || read(to_child[0], &c, 1) != 1)
            _exit(1);
        _exit(0);
    }
    close(to_parent[1]);
    char c;
    must(read(to_parent[0], &c, 1) == 1 || (errno = EPERM, 0), "unshare(CLONE_NEWNET) in a child");
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int) child);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, path);
    must(write(to_child[1], &c, 1) == 1, "write");
    must(waitpid(child, NULL, 0) == child, "waitpid");
    close(to_parent[0]);
    close(to_child[0]);
    close(to_child[1]);
    return fd;
}

HELPER pthread_t start(void *(*routine)(void *), void *argument) {
    pthread_t thread;
    errno = pthread_create(&thread, NULL, routine, argument);
    must(errno == 0, "pthread_create");
    return thread;
}

HELPER void join(pthread_t thread) {
    errno = pthread_join(thread, NULL);
    must(errno == 0, "pthread_join");
}

HELPER void post(sem_t *semaphore) {
    must(sem_post(semaphore) == 0, "sem_post");
}

HELPER void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0)
        must(errno == EINTR, "sem_wait");
}

#endif
