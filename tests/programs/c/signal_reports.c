/*
 * With signal=: a worker stands in another namespace after a forgotten restore, the program sends
 * itself the signal of its first argument, and later the worker is healed. With the second argument
 * `handler` the program has its own handler, which must be called; with `ignore` it ignores the
 * signal. Must be reported: left-switched, a warning, at the signal, and not a second time at the
 * end. Without an action of its own the program ends by the signal, or it goes on, as natively.
 */
#include "host.h"
#include <signal.h>

static int other;
static volatile int jobs = 2; /* so that the loop stays a loop: one call, one stack */
static sem_t done, go_on;
static volatile sig_atomic_t handled;

static void handler(int number) {
    handled = number;
}

static KEEP int visit(int fail) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fail) {
        dup2(home, 100);
        return -1;
    }
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
    return 0;
}

static void *worker(void *unused) {
    for (int job = 0; job < jobs; job++)
        visit(job == 1);
    post(&done);
    wait_for(&go_on);
    must(setns(100, CLONE_NEWNET) == 0, "setns home");
    return unused;
}

int main(int argc, char **argv) {
    sem_init(&done, 0, 0);
    sem_init(&go_on, 0, 0);
    int number = argc > 1 ? atoi(argv[1]) : SIGUSR1;
    if (argc > 2 && !strcmp(argv[2], "ignore"))
        signal(number, SIG_IGN);
    int own = argc > 2 && !strcmp(argv[2], "handler");
    if (own) {
        struct sigaction action = {.sa_handler = handler}, old;
        must(sigaction(number, &action, &old) == 0, "sigaction");
        if (old.sa_handler != SIG_DFL)
            return 71;
        must(sigaction(number, NULL, &old) == 0, "sigaction");
        if (old.sa_handler != handler || old.sa_flags & ~0x04000000)
            return 72;
    }
    other = other_network();
    pthread_t thread = start(worker, NULL);
    wait_for(&done);
    raise(number);
    puts(handled == number ? "handled" : "not handled");
    post(&go_on);
    join(thread);
    puts("done");
    return own != (handled == number);
}
