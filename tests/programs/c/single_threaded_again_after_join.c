/*
 * A program that had a second thread and joined it is single-threaded again: what follows moves
 * the process. Threads made afterwards are at home where it is now. Must be reported: nothing.
 */
#include "host.h"

static void *work(void *unused) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    close(fd);
    return unused;
}

int main(void) {
    join(start(work, NULL));
    /* The joined thread may still be on its last steps inside the kernel. */
    for (int i = 0; i < 1000; i++) {
        struct stat tasks;
        must(stat("/proc/self/task", &tasks) == 0, "stat");
        if (tasks.st_nlink == 3)
            break;
        usleep(1000);
    }
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    join(start(work, NULL));
    puts("done");
    return 0;
}
