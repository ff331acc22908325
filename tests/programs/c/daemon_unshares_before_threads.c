/*
 * A daemon that unshares first and makes its threads afterwards. Must be reported: nothing.
 */
#include "host.h"

static void *work(void *unused) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0, "socket");
    close(fd);
    return unused;
}

int main(void) {
    must(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount");
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        threads[i] = start(work, NULL);
    for (int i = 0; i < 8; i++)
        join(threads[i]);
    puts("done");
    return 0;
}
