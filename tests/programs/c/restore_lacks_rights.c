/*
 * A worker gives up CAP_SYS_ADMIN in a visit: the way home, which is still open, is refused, and
 * the worker opens a socket in the wrong namespace. Must be reported: restore-failed, an error.
 */
#include "host.h"
#include <linux/capability.h>

static int other;
static sem_t done, never;

/* Of this thread alone. */
static void drop_right(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3];

    must(syscall(SYS_capget, &header, rights) == 0, "capget");
    rights[0].effective &= ~(1u << CAP_SYS_ADMIN);
    must(syscall(SYS_capset, &header, rights) == 0, "capset");
}

static KEEP int visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    drop_right(); /* the fault: before the way home, not after it */
    if (setns(home, CLONE_NEWNET) != 0)
        return -1;
    close(home);
    STAY();
    return 0;
}

static void *worker(void *unused) {
    if (visit() == 0)
        _exit(71);
    must(socket(AF_INET, SOCK_DGRAM, 0) >= 0, "socket");
    post(&done);
    wait_for(&never);
    return unused;
}

int main(void) {
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    other = other_network();
    start(worker, NULL);
    wait_for(&done);
    puts("done");
    return 0;
}
