/*
 * The host's action for the signal of signal=, changed and asked for by several threads at once:
 * whoever asks gets an action that somebody set, whole, and the kernel ignores the signal if and
 * only if the last action says so.
 */
#include "base/options.h"
#include "calls/signals.h"
#include "race.h"

#include <signal.h>
#include <sys/time.h>

#define ROUNDS 20000

static _Atomic uint64_t asked;

static struct nsd_kernel_action action_of(uint64_t number) {
    return (struct nsd_kernel_action){.handler = (void (*)(int))(uintptr_t) (number << 16),
                                      .flags = number << 40,
                                      .restorer = (void (*)(void))(uintptr_t) number,
                                      .mask = number << 32};
}

static void check_whole(const struct nsd_kernel_action *found) {
    uint64_t number = (uint64_t) (uintptr_t) found->handler >> 16;
    struct nsd_kernel_action whole = action_of(number);

    CHECK(found->handler == whole.handler && found->flags == whole.flags &&
          found->restorer == whole.restorer && found->mask == whole.mask);
    asked++;
}

static void change(unsigned number) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        struct nsd_kernel_action set = action_of(i * RACE_THREADS + number), old;

        signals__host_action(number % 2 == 0 ? &set : NULL, &old);
        check_whole(&old);
    }
}

/* A handler that asks for another action while the thread is about to tell the kernel of its own.
 */
static void on_alarm(int number) {
    struct nsd_kernel_action handled = action_of(1);

    (void) number;
    signals__host_action(&handled, NULL);
}

static void the_kernel_agrees(void) {
    struct nsd_kernel_action ignored = {.handler = NSD_HANDLER_IGNORE}, wished, kernel;
    sigset_t alarm;

    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    signal(SIGALRM, on_alarm);
    for (unsigned i = 0; i < ROUNDS / 2; i++) {
        const struct itimerval once = {{0, 0}, {0, 1 + i % 8}};

        setitimer(ITIMER_REAL, &once, NULL);
        signals__host_action(&ignored, NULL);
        sigprocmask(SIG_BLOCK, &alarm, NULL);
        signals__host_action(NULL, &wished);
        CHECK(disposition__read(SIGUSR2, &kernel) == 0);
        CHECK((wished.handler == NSD_HANDLER_IGNORE) == (kernel.handler == NSD_HANDLER_IGNORE));
        sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    }
}

int main(void) {
    struct nsd_kernel_action first = action_of(1), old;

    nsd_options.signal.number = SIGUSR2;
    signals__host_action(&first, NULL);
    signals__host_action(NULL, &old);
    CHECK(old.handler == first.handler && old.mask == first.mask);
    race__run(change);
    CHECK(asked == (uint64_t) RACE_THREADS * ROUNDS);
    the_kernel_agrees();
    return race__result();
}
