/*
 * Network namespace there and back, COUNT times on a thread of its own, from under ten frames.
 * Prints nanoseconds per round trip, the median of 200 short blocks. With `identity` it also makes
 * by itself the calls by which nsdrift asks who switches where (gettid, NS_GET_ID or fstat), once a
 * switch: what remains of nsdrift's cost beside that is nsdrift's own work.
 */
#include "../programs/c/host.h"
#include <sys/ioctl.h>
#include <time.h>

#define BLOCKS 200 /* short ones: most are not interrupted */
static int other, home, identity, per_block;
static double block[BLOCKS];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static void ask(int fd) {
    static int no_ids;
    unsigned long id;
    struct stat stat;

    if (!identity)
        return;
    syscall(SYS_gettid);
    if (no_ids || ioctl(fd, 0x8008b70dUL, &id) != 0) {
        no_ids = 1;
        fstat(fd, &stat);
    }
}

static KEEP void visit(void) {
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    ask(other);
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    ask(home);
    STAY();
}

static KEEP void deep(int frames) {
    if (frames)
        deep(frames - 1);
    else
        for (int i = 0; i < BLOCKS; i++) {
            double began = now();
            for (int trip = 0; trip < per_block; trip++)
                visit();
            block[i] = (now() - began) / per_block;
        }
    STAY();
}

static int compare(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void *worker(void *unused) {
    for (int i = 0; i < 100; i++)
        visit();
    deep(10);
    return unused;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 20000;
    identity = argc > 2 && !strcmp(argv[2], "identity");
    per_block = count / BLOCKS ? count / BLOCKS : 1;
    home = own_namespace("net");
    other = other_network();
    join(start(worker, NULL));
    qsort(block, BLOCKS, sizeof block[0], compare);
    printf("%.1f\n", block[BLOCKS / 2]);
    return 0;
}
