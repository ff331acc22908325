/*
 * Blocks the signal of its argument, sends it to itself, and lets it in by sigsuspend alone. It has
 * no handler, so the program ends by the signal, also where signal= asks for a report.
 */
#include "host.h"
#include <signal.h>

int main(int argc, char **argv) {
    int number = argc > 1 ? atoi(argv[1]) : SIGUSR1;
    sigset_t blocked, none;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, number);
    must(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0, "sigprocmask");
    must(kill(getpid(), number) == 0, "kill");
    sigsuspend(&none);
    puts("went on");
    return 0;
}
