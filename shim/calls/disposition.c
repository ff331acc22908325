/*
 * What the kernel does with a signal, see disposition.h. Called at the end of an image and by our
 * handler of signal=: no libc.
 */
#include "calls/disposition.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "host/image.h"
#include <stddef.h>
#include <stdint.h>

long disposition__read(int number, struct nsd_kernel_action *action) {
    return SYS4(__NR_rt_sigaction, number, NULL, action, sizeof action->mask);
}

long disposition__set(int number, const struct nsd_kernel_action *action) {
    return SYS4(__NR_rt_sigaction, number, action, NULL, sizeof action->mask);
}

#define SIGNAL_MOST 64
#define SIGNAL_KILL 9
#define SIGNAL_UNBLOCK 1 /* SIG_UNBLOCK */
#define SIGNAL_BIT(number) (1ull << ((number) -1))
/* CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH, see signal(7); numbers of <asm/signal.h>. */
#define SPARING_SIGNALS                                                                            \
    (SIGNAL_BIT(17) | SIGNAL_BIT(18) | SIGNAL_BIT(19) | SIGNAL_BIT(20) | SIGNAL_BIT(21) |          \
     SIGNAL_BIT(22) | SIGNAL_BIT(23) | SIGNAL_BIT(28))

/* The first process of a pid namespace: the kernel ignores such a signal (sig_task_ignored). */
static bool is_first_process(void) {
    return (sys__is_forbidden() ? nsd_image.pid : sys__getpid()) == 1;
}

bool disposition__default_ends(int number) {
    return number >= 1 && number <= SIGNAL_MOST && (SPARING_SIGNALS & SIGNAL_BIT(number)) == 0 &&
           !is_first_process();
}

bool disposition__would_end(int number) {
    struct nsd_kernel_action action;

    return !sys__is_forbidden() && disposition__read(number, &action) == 0 &&
           action.handler == NSD_HANDLER_DEFAULT && disposition__default_ends(number);
}

/* A filter of the host's that kills for one of these calls ends the process as well. */
void disposition__end_by(int number) {
    struct nsd_kernel_action action;
    const uint64_t unblocked = SIGNAL_BIT(number);

    memory__fill(&action, 0, sizeof action);
    /* Where a filter refuses this with an error, the signal would only call our handler again. */
    if (disposition__set(number, &action) != 0)
        number = SIGNAL_KILL;
    SYS3(__NR_tgkill, sys__getpid(), sys__gettid(), number);
    SYS4(__NR_rt_sigprocmask, SIGNAL_UNBLOCK, &unblocked, NULL, sizeof unblocked);
}
