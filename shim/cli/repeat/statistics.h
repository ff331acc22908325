/*
 * The few sums that `nsdrift repeat` makes of its counts. Pure functions, called by repeat.c and
 * tally.c.
 */
#ifndef NSD_CLI_REPEAT_STATISTICS_H
#define NSD_CLI_REPEAT_STATISTICS_H

#include <stdint.h>

/*
 * Clopper and Pearson's exact 95% interval for a rate of which `hits` of `runs` were seen. It is
 * right also for no hits and for few, where the usual approximations are too narrow.
 */
void statistics__interval(uint64_t hits, uint64_t runs, double *low, double *high);

/*
 * The number of clean runs in a row after which one can say with this confidence (0.99) that a
 * failure of this rate is gone; 0 for the rates 0 and 1.
 */
uint64_t statistics__clean_runs(double rate, double confidence);

/*
 * Fisher's exact test, one-sided: the probability that chance alone makes a sign as frequent in the
 * first group of runs (hits_a of runs_a) as it is, compared with the second.
 */
double statistics__by_chance(uint64_t hits_a, uint64_t runs_a, uint64_t hits_b, uint64_t runs_b);

#endif
