/*
 * A handler in the place of a fatal default, see signals.h.
 */
#include "cli/watch/signals.h"
#include <signal.h>
#include <string.h>

/* A handler and not SIG_IGN: a program that is started would inherit SIG_IGN. */
static void outlive(int number) {
    (void) number;
}

void signals__outlive(int number) {
    struct sigaction action;

    if (sigaction(number, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
        return;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = outlive;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, NULL);
}
