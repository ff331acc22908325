/*
 * Time of events. An event keeps the machine's tick counter (TSC on x86_64), because reading it
 * costs a fortieth of a system call; a report turns ticks into wall-clock time. Called by the
 * probes, the intake and the reports. Safe in a signal handler, in a fork or vfork child and on a
 * Go stack.
 */
#ifndef NSD_BASE_CLOCK_H
#define NSD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Both clocks, read together when the image starts. */
struct nsd_clock {
    uint64_t start_ticks;
    uint64_t start_wall; /* nanoseconds since 1970 */
};

/* The tick counter now. After clock__stop_ticks(): a number that grows by one with each call. */
uint64_t clock__ticks(void);
/*
 * Whether the counter can be read. False after prctl(PR_SET_TSC, PR_TSC_SIGSEGV) and in seccomp's
 * strict mode: there the read raises SIGSEGV (arch/x86/kernel/process.c, disable_TSC). Makes a
 * system call.
 */
bool clock__may_read_ticks(void);
/*
 * From now on clock__ticks() returns a counter instead of reading the machine's: the order of
 * events is kept, durations are not.
 */
void clock__stop_ticks(void);
/* Nanoseconds since 1970, by a system call; 0 if that fails. */
uint64_t clock__wall(void);
/* Reads both clocks into `clock`; once, at start. */
void clock__begin(struct nsd_clock *clock);
/*
 * Turns `ticks` into nanoseconds since 1970. Interpolates between two points: the start of the
 * image, and (now_ticks, now_wall), which the caller reads together when its report begins.
 */
uint64_t clock__to_wall(const struct nsd_clock *clock, uint64_t now_ticks, uint64_t now_wall,
                        uint64_t ticks);

#endif
