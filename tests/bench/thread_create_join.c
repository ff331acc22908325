/*
 * Creates a thread and joins it, COUNT times. Prints nanoseconds for each, the median of 200 short
 * blocks.
 */
#include "../programs/c/host.h"
#include <time.h>

#define BLOCKS 200 /* short ones: most are not interrupted */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static void *nothing(void *unused) {
    return unused;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    double block[BLOCKS];
    int count = argc > 1 ? atoi(argv[1]) : 20000, per_block = count / BLOCKS ? count / BLOCKS : 1;
    for (int i = 0; i < 100; i++)
        join(start(nothing, NULL));
    for (int i = 0; i < BLOCKS; i++) {
        double began = now();
        for (int j = 0; j < per_block; j++)
            join(start(nothing, NULL));
        block[i] = (now() - began) / per_block;
    }
    qsort(block, BLOCKS, sizeof block[0], compare);
    printf("%.1f\n", block[BLOCKS / 2]);
    return 0;
}
