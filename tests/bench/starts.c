/*
 * starts COUNT PRELOAD PROGRAM [ARGUMENT...]: starts PROGRAM so many times and waits for each; with
 * PRELOAD (or "-") in its environment alone. Prints nanoseconds for each start, the median.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    int count = atoi(argv[1]);
    char preload[4096];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", argv[2]);
    char *with[] = {preload, "NSDRIFT=1", "PATH=/usr/bin:/bin", NULL};
    char *without[] = {"NOTHING=1", "PATH=/usr/bin:/bin", NULL};
    char **environment = strcmp(argv[2], "-") ? with : without;
    double *taken = calloc((size_t) count, sizeof *taken);
    for (int i = 0; i < count; i++) {
        double began = now();
        pid_t child;
        int status;
        if (posix_spawn(&child, argv[3], NULL, NULL, argv + 3, environment) != 0 ||
            waitpid(child, &status, 0) != child || status != 0)
            return 1;
        taken[i] = now() - began;
    }
    qsort(taken, (size_t) count, sizeof *taken, compare);
    printf("%.1f\n", taken[count / 2]);
    return 0;
}
