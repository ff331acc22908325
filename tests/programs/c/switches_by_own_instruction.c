/*
 * A worker changes its network by a system call instruction of its own, as crates and languages
 * without libc do, and stays there ("bad") or comes home ("good") before the program ends in the
 * usual way. "child": the bad one in a fork child, while the parent does nothing else. Nobody sees
 * the switch: a report must not call the bad one clean.
 */
#include "host.h"
#include <stdbool.h>

static bool comes_home;
static sem_t done, work;

static long own_setns(int fd) {
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_setns), "D"(fd), "S"(CLONE_NEWNET)
                     : "rcx", "r11", "memory");
    return result;
}

static KEEP void visit(int other) {
    int home = own_namespace("net");

    must(own_setns(other) == 0, "setns");
    if (comes_home)
        must(own_setns(home) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *other) {
    visit(*(int *) other);
    post(&done);
    wait_for(&work);
    return NULL;
}

int main(int argc, char **argv) {
    int other, status;

    if (argc > 1 && strcmp(argv[1], "child") == 0 && fork() != 0) {
        must(wait(&status) > 0 && status == 0, "wait");
        return 0;
    }
    comes_home = argc > 1 && strcmp(argv[1], "good") == 0;
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    other = other_network();
    start(worker, &other);
    wait_for(&done);
    puts("done");
    return 0;
}
