/*
 * Eight threads go away and home again and open sockets meanwhile, as fast as they can. For tests
 * of recordings: no expectation stands beside it.
 *
 *     switches_without_pause ROUNDS [FILE]   rounds of each thread, 0: until it is killed
 *
 * FILE is mapped: per thread the number of socket() calls that have come back; the n-th call of a
 * thread has n as its protocol.
 */
#include "host.h"
#include <sys/mman.h>

#define THREADS 8

static unsigned long rounds;
static volatile unsigned long *done;

KEEP static void visit(int home, int away, unsigned long number) {
    must(setns(away, CLONE_NEWUTS) == 0, "setns");
    /* Fails (there is no such protocol), and is an event all the same. */
    socket(AF_INET, SOCK_DGRAM, (int) (1000 + number));
    if (number % 1000 == 999 && rounds != 0)
        return; /* forgets to go home: a fault */
    must(setns(home, CLONE_NEWUTS) == 0, "setns");
    STAY();
}

KEEP static void *worker(void *argument) {
    unsigned long self = (unsigned long) argument;
    int home = own_namespace("uts");
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    int away = own_namespace("uts");
    must(setns(home, CLONE_NEWUTS) == 0, "setns");
    for (unsigned long i = 1; rounds == 0 || i <= rounds; i++) {
        visit(home, away, i);
        if (done != NULL)
            done[self] = i;
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t thread[THREADS];
    static volatile unsigned long here[THREADS];
    done = here;
    rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    if (argc > 2) {
        int fd = open(argv[2], O_RDWR);
        must(fd >= 0, argv[2]);
        done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        must(done != MAP_FAILED, "mmap");
    }
    for (unsigned long i = 0; i < THREADS; i++)
        thread[i] = start(worker, (void *) i);
    for (unsigned long i = 0; i < THREADS; i++)
        join(thread[i]);
    return 0;
}
