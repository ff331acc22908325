/*
 * Main is away when pthread_create and thrd_create fail, many more times than nsdrift keeps births
 * that it waits for; at home a thread is created, which visits. Must be reported: nothing.
 */
#include "host.h"
#include <threads.h>

#define FAILURES 2100

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    visit();
    return unused;
}

static int c11_worker(void *unused) {
    (void) unused;
    return 0;
}

/* No address space has room for such a stack: mmap says ENOMEM, and the two calls pass it on. */
static KEEP void fail_to_create(pthread_attr_t *without_room) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    for (int i = 0; i < FAILURES; i++) {
        pthread_t thread;
        thrd_t c11_thread;
        must(pthread_create(&thread, without_room, worker, NULL) == EAGAIN, "pthread_create");
        must(thrd_create(&c11_thread, c11_worker, NULL) != thrd_success, "thrd_create");
    }
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

int main(void) {
    pthread_attr_t usual, without_room;

    other = other_network();
    join(start(worker, NULL));
    must(pthread_getattr_default_np(&usual) == 0, "pthread_getattr_default_np");
    pthread_attr_init(&without_room);
    must(pthread_attr_setstacksize(&without_room, (size_t) 1 << 48) == 0, "setstacksize");
    must(pthread_setattr_default_np(&without_room) == 0, "pthread_setattr_default_np");
    fail_to_create(&without_room);
    must(pthread_setattr_default_np(&usual) == 0, "pthread_setattr_default_np");
    join(start(worker, NULL));
    puts("done");
    return 0;
}
