/*
 * Binomial and hypergeometric sums, see statistics.h. Computed with logarithms, so that thousands
 * of runs do not overflow.
 */
#include "cli/repeat/statistics.h"
#include <math.h>

#define ALPHA 0.05

static double log_choose(uint64_t n, uint64_t k) {
    return lgamma((double) n + 1) - lgamma((double) k + 1) - lgamma((double) (n - k) + 1);
}

/* The probability of at least `hits` of `runs` at this rate. */
static double upper_tail(uint64_t hits, uint64_t runs, double rate) {
    double sum = 0;

    if (hits == 0 || rate >= 1)
        return 1;
    if (rate <= 0)
        return 0;
    for (uint64_t k = hits; k <= runs; k++)
        sum +=
            exp(log_choose(runs, k) + (double) k * log(rate) + (double) (runs - k) * log1p(-rate));
    return sum;
}

/* The rate at which `hits` or more have this probability, which grows with the rate. */
static double rate_with_tail(uint64_t hits, uint64_t runs, double probability) {
    double low = 0, high = 1;

    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;

        if (upper_tail(hits, runs, middle) < probability)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

void statistics__interval(uint64_t hits, uint64_t runs, double *low, double *high) {
    *low = hits == 0 ? 0 : rate_with_tail(hits, runs, ALPHA / 2);
    *high = hits == runs ? 1 : rate_with_tail(hits + 1, runs, 1 - ALPHA / 2);
}

uint64_t statistics__clean_runs(double rate, double confidence) {
    if (rate <= 0 || rate >= 1)
        return 0;
    return (uint64_t) ceil(log1p(-confidence) / log1p(-rate));
}

double statistics__by_chance(uint64_t hits_a, uint64_t runs_a, uint64_t hits_b, uint64_t runs_b) {
    uint64_t hits = hits_a + hits_b, runs = runs_a + runs_b;
    uint64_t most = hits < runs_a ? hits : runs_a;
    double sum = 0;

    for (uint64_t k = hits_a; k <= most; k++) {
        if (hits - k <= runs_b)
            sum +=
                exp(log_choose(runs_a, k) + log_choose(runs_b, hits - k) - log_choose(runs, hits));
    }
    return sum < 1 ? sum : 1;
}
