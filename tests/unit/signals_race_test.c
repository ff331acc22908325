/*
 * The host's action for the signal of signal=, changed and asked for by several threads at once:
 * whoever asks gets an action that somebody set, whole.
 */
#include "base/options.h"
#include "calls/signals.h"
#include "race.h"

#include <signal.h>

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

int main(void) {
    struct nsd_kernel_action first = action_of(1), old;

    nsd_options.signal.number = SIGUSR2;
    signals__host_action(&first, NULL);
    signals__host_action(NULL, &old);
    CHECK(old.handler == first.handler && old.mask == first.mask);
    race__run(change);
    CHECK(asked == (uint64_t) RACE_THREADS * ROUNDS);
    return race__result();
}
