/*
 * Threads that begin at the same moment, for the *_race_test.c: each of those also runs with the
 * thread sanitizer (tests/subjects/unit.py), which sees a missing order even where it did no harm.
 */
#ifndef NSD_TESTS_RACE_H
#define NSD_TESTS_RACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define RACE_THREADS 4

static _Atomic int race_failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition) && race_failures++ < 20)                                                  \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
    } while (0)

struct race {
    void (*body)(unsigned number); /* 0 ... RACE_THREADS - 1 */
    unsigned number;
    pthread_barrier_t *start;
};

static inline void *race__thread(void *argument) {
    struct race *race = argument;

    pthread_barrier_wait(race->start);
    race->body(race->number);
    return NULL;
}

/* Runs `body` in RACE_THREADS threads and waits for their ends. */
static inline void race__run(void (*body)(unsigned number)) {
    pthread_t thread[RACE_THREADS];
    struct race race[RACE_THREADS];
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, RACE_THREADS);
    for (unsigned i = 0; i < RACE_THREADS; i++) {
        race[i] = (struct race){body, i, &start};
        if (pthread_create(&thread[i], NULL, race__thread, &race[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < RACE_THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&start);
}

static inline int race__result(void) {
    printf("%d failures\n", race_failures);
    return race_failures != 0;
}

#endif
