/*
 * A collector visits several namespaces; one of them cannot be entered, it goes on to the next and
 * home at the end. Must be reported: nothing.
 */
#include "host.h"

static int others[3];

static KEEP void collect(void) {
    int home = own_namespace("net");
    for (int i = 0; i < 3; i++) {
        if (setns(others[i], CLONE_NEWNET) != 0)
            continue;
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        must(fd >= 0, "socket");
        close(fd);
    }
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    collect();
    collect();
    return unused;
}

int main(void) {
    others[0] = other_network();
    others[1] = open("/dev/null", O_RDONLY); /* EINVAL: no namespace */
    others[2] = other_network();
    join(start(worker, NULL));
    puts("done");
    return 0;
}
