/*
 * The same visit again and again, in and out by one wrapper of a library's wrapper of setns: both
 * ways have the same return address in the same stack slot, though the wrapper returned in
 * between. Must be reported: nothing.
 */
#include "host.h"

static int other, rounds;

KEEP static int library_setns(int fd, int kind) {
    int result = setns(fd, kind);
    STAY();
    return result;
}

KEEP static void enter(int fd) {
    must(library_setns(fd, CLONE_NEWNET) == 0, "setns");
    STAY();
}

KEEP static void touch(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0 && close(fd) == 0, "socket");
}

KEEP static void visit(void) {
    int home = own_namespace("net");
    enter(other);
    touch();
    enter(home);
    must(close(home) == 0, "close");
}

static void *work(void *unused) {
    for (int i = 0; i < rounds; i++)
        visit();
    return unused;
}

int main(void) {
    other = other_network();
    rounds = 5;
    join(start(work, NULL));
    rounds = 1;
    for (int i = 0; i < 5; i++)
        join(start(work, NULL));
    puts("done");
    return 0;
}
