/*
 * The few sums that `nsdrift repeat` makes of its counts. Pure functions, called by repeat.c and
 * tally.c.
 */
#ifndef NSD_CLI_REPEAT_STATISTICS_H
#define NSD_CLI_REPEAT_STATISTICS_H

#include <stdint.h>

/*
 * Clopper and Pearson's exact 95% interval for a rate of which `hits` of `runs` were seen: right
 * also where there are none or few, where the usual approximations are too narrow.
 */
void statistics__interval(uint64_t hits, uint64_t runs, double *low, double *high);

/*
 * How many runs in a row must be clean before one can say with this confidence (0.99) that a
 * failure of this rate is gone; 0 where the rate is 0 or 1.
 */
uint64_t statistics__clean_runs(double rate, double confidence);

/*
 * Fisher's exact test, one-sided: how likely it is that chance alone puts a thing that occurred in
 * hits_a of runs_a and in hits_b of runs_b so often into the first.
 */
double statistics__by_chance(uint64_t hits_a, uint64_t runs_a, uint64_t hits_b, uint64_t runs_b);

#endif
