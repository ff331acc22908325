/*
 * Ticks and wall-clock time, see clock.h. The wall clock is read once at start and once for each
 * report; an event reads the tick counter alone.
 */
#include "base/clock.h"
#include "base/syscall.h"
#include <linux/prctl.h>
#include <linux/time.h>
#include <stdatomic.h>

/*
 * 0: the machine's counter is read; else the number that clock__ticks() returns next. Relaxed: an
 * atomic add alone gives each caller a number of its own, and nothing is published with it.
 */
static _Atomic uint64_t stopped;

bool clock__may_read_ticks(void) {
    int state = PR_TSC_ENABLE;

    return SYS_IS_ERROR(SYS2(__NR_prctl, PR_GET_TSC, &state)) || state != PR_TSC_SIGSEGV;
}

void clock__stop_ticks(void) {
    uint64_t running = 0;

    /* Begins at the counter's value, where that can still be read: later events come later. */
    if (atomic_load_explicit(&stopped, memory_order_relaxed) == 0)
        atomic_compare_exchange_strong_explicit(&stopped, &running,
                                                clock__may_read_ticks() ? machine__ticks() : 1,
                                                memory_order_relaxed, memory_order_relaxed);
}

uint64_t clock__ticks(void) {
    if (atomic_load_explicit(&stopped, memory_order_relaxed) != 0)
        return atomic_fetch_add_explicit(&stopped, 1, memory_order_relaxed);
    return machine__ticks();
}

uint64_t clock__wall(void) {
    struct sys_timespec now;

    if (sys__clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    return (uint64_t) now.seconds * 1000000000u + (uint64_t) now.nanoseconds;
}

void clock__begin(struct nsd_clock *clock) {
    clock->start_ticks = clock__ticks();
    clock->start_wall = clock__wall();
}

uint64_t clock__to_wall(const struct nsd_clock *clock, uint64_t now_ticks, uint64_t now_wall,
                        uint64_t ticks) {
    uint64_t span = now_ticks - clock->start_ticks;
    uint64_t wall = now_wall > clock->start_wall ? now_wall - clock->start_wall : 0;
    uint64_t since;

    if (ticks <= clock->start_ticks || span == 0)
        return clock->start_wall;
    since = ticks - clock->start_ticks;
    /* wall * since may need more than 64 bits: halve the two tick counts until it does not. */
    while (since > UINT32_MAX || span > UINT32_MAX || wall > UINT32_MAX) {
        if (span <= 1)
            return now_wall;
        if (wall > UINT32_MAX && span <= UINT32_MAX && since <= UINT32_MAX)
            return clock->start_wall + wall / span * since + wall % span * since / span;
        since >>= 1;
        span >>= 1;
    }
    return clock->start_wall + wall * since / span;
}
