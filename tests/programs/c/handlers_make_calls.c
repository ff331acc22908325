/*
 * A timer's signal handler makes wrapped calls while the interrupted code is inside wrapped calls
 * itself: nothing may wait for a lock that its own thread holds. Must be reported: nothing.
 */
#include "host.h"
#include <signal.h>
#include <sys/time.h>

static int other;
static volatile sig_atomic_t handled;

static void handler(int number) {
    int saved = errno;
    (void) number;
    if (setns(-1, CLONE_NEWNET) != -1 || errno != EBADF)
        _exit(71);
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || close(fd) != 0)
        _exit(72);
    handled++;
    errno = saved;
}

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    while (handled < 200)
        visit();
    return unused;
}

int main(void) {
    other = other_network();
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    must(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
    struct itimerval timer = {{0, 300}, {0, 300}};
    must(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer");
    pthread_t one = start(worker, NULL), two = start(worker, NULL);
    join(one);
    join(two);
    timer = (struct itimerval){{0, 0}, {0, 0}};
    must(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer");
    puts("done");
    return 0;
}
