/*
 * A worker leaves for another network and idles there; then main ends the process by a system call
 * instruction of its own, which no library function sees. Argument "good": the worker comes home
 * before that. "child": all of it in a fork child, and the parent ends as usual. Nobody can judge
 * the end of "bad".
 */
#include "host.h"
#include <stdbool.h>

static int other;
static bool comes_home;
static sem_t done, work;

static KEEP void visit(void) {
    int home = own_namespace("net");

    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (comes_home)
        must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    post(&done);
    wait_for(&work);
    STAY();
}

static void *worker(void *unused) {
    visit();
    return unused;
}

static void end(void) {
    __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
}

static void go(void) {
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    other = other_network();
    start(worker, NULL);
    wait_for(&done);
    end();
}

int main(int argc, char **argv) {
    int status;

    comes_home = argc > 1 && strcmp(argv[1], "good") == 0;
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        if (fork() != 0) {
            must(wait(&status) > 0 && status == 0, "wait");
            return 0;
        }
    }
    go();
    return 1;
}
