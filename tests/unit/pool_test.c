/*
 * The lock-free pool: no block is given out twice at a time, none is lost, and it ends where it
 * says, with several threads taking and giving at once.
 */
#include "base/pool.c"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#define BLOCKS 8
#define THREADS 4
#define ROUNDS 50000

struct block {
    uint64_t link;
    _Atomic int owners;
    int pad;
};

static struct block memory[BLOCKS];
static struct nsd_pool pool = {.memory = memory, .count = BLOCKS, .size = sizeof(struct block)};
static _Atomic int failures;

static void *take_and_give(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        struct block *held[3];

        for (int k = 0; k < 3; k++) {
            held[k] = pool__take(&pool);
            if (held[k] != NULL && atomic_fetch_add(&held[k]->owners, 1) != 0)
                failures++;
        }
        if (i % 64 == 0)
            sched_yield();
        for (int k = 0; k < 3; k++) {
            if (held[k] != NULL) {
                atomic_fetch_sub(&held[k]->owners, 1);
                pool__give(&pool, held[k]);
            }
        }
    }
    return unused;
}

int main(void) {
    pthread_t threads[THREADS];
    int count = 0;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_and_give, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    while (pool__take(&pool) != NULL && count <= BLOCKS)
        count++;
    if (count != BLOCKS)
        failures++;
    printf("%d failures\n", failures);
    return failures != 0;
}
