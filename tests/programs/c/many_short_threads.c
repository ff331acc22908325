/*
 * Makes as many short threads as its argument says, one after the other, each of which visits
 * another namespace every hundredth time, and prints by how many KiB the program's memory has
 * grown since the first thousand, rounded to MiB. Must be reported: nothing, in constant memory.
 */
#include "host.h"

static int other;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *number) {
    if ((long) number % 100 == 0)
        visit();
    return NULL;
}

static long resident(void) {
    long size, pages;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file && fscanf(file, "%ld %ld", &size, &pages) == 2, "statm");
    fclose(file);
    return pages * 4;
}

int main(int argc, char **argv) {
    long count = argc > 1 ? atol(argv[1]) : 5000, before = 0;
    other = other_network();
    for (long i = 0; i < count; i++) {
        join(start(worker, (void *) i));
        if (i == 1000)
            before = resident();
    }
    printf("grown by %ld MiB\n", (resident() - before) / 1024);
    return 0;
}
