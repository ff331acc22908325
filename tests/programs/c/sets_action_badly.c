/*
 * rt_sigaction by number, with structs that are not there and sizes that are wrong. Under
 * signal=USR1 the answers are the kernel's own.
 */
#include "host.h"
#include <signal.h>

struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

static void say(const char *what, long result) {
    printf("%s: %s\n", what, result == 0 ? "done" : strerror(errno));
}

int main(void) {
    struct action ignored = {.handler = SIG_IGN}, old;
    char *nowhere = (char *) 16;

    say("set nowhere", syscall(SYS_rt_sigaction, SIGUSR1, nowhere, NULL, 8));
    say("old nowhere", syscall(SYS_rt_sigaction, SIGUSR1, NULL, nowhere, 8));
    say("set, old nowhere", syscall(SYS_rt_sigaction, SIGUSR1, &ignored, nowhere, 8));
    say("set nowhere, old", syscall(SYS_rt_sigaction, SIGUSR1, nowhere, &old, 8));
    say("small mask", syscall(SYS_rt_sigaction, SIGUSR1, &ignored, &old, 4));
    say("asked", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
    printf("ignored: %d\n", old.handler == SIG_IGN);
    return 0;
}
