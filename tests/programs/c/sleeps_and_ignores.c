/*
 * Sleeps in nanosleep and in poll while a child sends SIGUSR1, which is ignored. Neither call may
 * be interrupted, also where signal=USR1 asks for reports.
 */
#include "host.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

int main(void) {
    const struct timespec half = {.tv_nsec = 200000000};
    pid_t parent = getpid(), child;
    int slept, polled;

    signal(SIGUSR1, SIG_IGN);
    child = fork();
    if (child == 0) {
        for (;;) {
            if (kill(parent, SIGUSR1) != 0 || getppid() != parent)
                _exit(0);
            usleep(10000);
        }
    }
    slept = nanosleep(&half, NULL) == 0 ? 0 : errno;
    polled = poll(NULL, 0, 200) == 0 ? 0 : errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("nanosleep %d, poll %d\n", slept, polled);
    return 0;
}
