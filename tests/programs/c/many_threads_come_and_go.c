// Threads are made and end without pause, and none of them goes anywhere: for a look from outside,
// which must find nobody astray. Prints "ready" and goes on until it is killed.
#include "host.h"

static void *nothing(void *unused) {
    (void) unused;
    return NULL;
}

static void *make_threads(void *unused) {
    for (;;) {
        pthread_t threads[20];

        for (int i = 0; i < 20; i++)
            threads[i] = start(nothing, NULL);
        for (int i = 0; i < 20; i++)
            join(threads[i]);
    }
    return unused;
}

int main(void) {
    start(make_threads, NULL);
    start(make_threads, NULL);
    puts("ready");
    fflush(stdout);
    make_threads(NULL);
}
