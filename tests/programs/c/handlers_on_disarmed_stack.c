/*
 * Signals interrupt a loop of setns calls, and their handlers make such calls, too, on an alternate
 * stack in main's own frame, which the kernel disarms while they run (SS_AUTODISARM). No handler
 * may take the shim's lock from the loop. Must not be reported, and nothing may be lost.
 */
#include "host.h"
#include <signal.h>
#include <sys/time.h>

#define AUTODISARM ((int) (1u << 31)) /* SS_AUTODISARM of linux/signal.h */

static int home;
static volatile sig_atomic_t over;

static void handler(int number) {
    const struct itimerval once = {{0, 0}, {0, 50}};

    (void) number;
    must(setns(home, CLONE_NEWUTS) == 0, "setns");
    if (!over)
        setitimer(ITIMER_REAL, &once, NULL);
}

static KEEP void loop(void) {
    for (int i = 0; i < 20000; i++)
        must(setns(home, CLONE_NEWUTS) == 0, "setns");
    STAY();
}

int main(void) {
    char alternate[64 << 10];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate, .ss_flags = AUTODISARM};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};

    home = own_namespace("uts");
    must(sigaltstack(&stack, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0, "signal");
    raise(SIGALRM);
    loop();
    over = 1;
    /* After main has returned its frame holds no stack any more. */
    signal(SIGALRM, SIG_IGN);
    puts("done");
    return 0;
}
