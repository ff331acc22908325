/*
 * Time by the machine's tick counter, turned into wall-clock time only when a report wants it: a
 * read of the counter costs a fortieth of a system call. Safe everywhere.
 */
#ifndef NSD_BASE_CLOCK_H
#define NSD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct nsd_clock {
    uint64_t start_ticks;
    uint64_t start_wall; /* nanoseconds since 1970 */
};

uint64_t clock__ticks(void);
/*
 * A program may have reading the counter answered by SIGSEGV: PR_SET_TSC, and seccomp's strict mode
 * (arch/x86/kernel/process.c, disable_TSC). By a system call.
 */
bool clock__may_read_ticks(void);
/* From here on ticks only count their askers: what came first is still told. */
void clock__stop_ticks(void);
/* Nanoseconds since 1970 now, by a system call. */
uint64_t clock__wall(void);
void clock__begin(struct nsd_clock *clock);
/*
 * Wall-clock nanoseconds of `ticks`, by the line through the start and (now_ticks, now_wall), two
 * reads made together when the report begins.
 */
uint64_t clock__to_wall(const struct nsd_clock *clock, uint64_t now_ticks, uint64_t now_wall,
                        uint64_t ticks);

#endif
