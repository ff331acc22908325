/*
 * Ignores SIGUSR1, which the programs that it starts inherit, and has a handler that is for once.
 * Must run as it does alone, where signal=USR1 puts another handler before its own.
 */
#include "host.h"

#include <signal.h>
#include <spawn.h>

static char *const arguments[] = {"sh", "-c", "kill -USR1 $$; echo alive", NULL};
static volatile int handled;

static void handler(int number) {
    handled += number == SIGUSR1;
}

static void show(const char *what) {
    struct sigaction now;
    int status;

    while (wait(&status) > 0)
        printf("%s: child %x\n", what, (unsigned) status);
    must(sigaction(SIGUSR1, NULL, &now) == 0, "sigaction");
    printf("%s: ignored %d, default %d, once %d, handled %d\n", what, now.sa_handler == SIG_IGN,
           now.sa_handler == SIG_DFL, (now.sa_flags & (int) SA_RESETHAND) != 0, handled);
    fflush(stdout);
}

int main(void) {
    struct sigaction once = {.sa_handler = handler, .sa_flags = (int) SA_RESETHAND};
    char *none[] = {NULL};
    pid_t child;

    must(sigaction(SIGUSR1, &once, NULL) == 0, "sigaction");
    raise(SIGUSR1);
    show("once");
    must(signal(SIGUSR1, SIG_IGN) == SIG_DFL, "signal");
    child = vfork();
    if (child == 0) {
        execve("/bin/sh", arguments, none);
        _exit(1);
    }
    show("vfork");
    must(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, none) == 0, "posix_spawn");
    show("posix_spawn");
    child = vfork();
    if (child == 0) {
        signal(SIGUSR1, SIG_DFL); /* for the child alone */
        execve("/bin/sh", arguments, none);
        _exit(1);
    }
    show("vfork, default");
    execve("/nonexistent", arguments, none);
    raise(SIGUSR1);
    show("exec that fails");
    execve("/bin/sh", arguments, none);
    return 1;
}
