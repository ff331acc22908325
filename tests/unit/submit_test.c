/*
 * The intake where two threads hand in events at once: a thread that does not get the lock leaves
 * its event in the queue, and the lock's owner takes it in. A callback under the lock plays the
 * second thread's part, so that the two meet in every run.
 */
#include "base/syscall.h"
#include "host/image.h"
#include "intake/language.h"
#include "intake/queue.h"
#include "intake/submit.h"
#include "nsdrift.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int failed;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failed = 1;                                                                            \
        }                                                                                          \
    } while (0)

static pthread_barrier_t barrier;
static int32_t other;
static int error;

/* A thread that no probe has seen, in another namespace. */
static void *stands_elsewhere(void *unused) {
    other = (int32_t) sys__gettid();
    error = unshare(CLONE_NEWUTS) == 0 ? 0 : errno;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

/* Called under the lock: its first event, which has to wait. */
static void hand_in(void) {
    struct nsd_event event;

    submit__prepare(&event, NSD_CALL_MOUNT, other);
    submit__event(&event);
}

static const struct nsd_language language = {.watch_descriptors = hand_in};

/*
 * A thread was stopped between the two steps of a publication, and its event was taken out already:
 * the count of the queue is wrong until it runs on. Nobody may wait for that, since the thread may
 * be the one that a signal handler has interrupted.
 */
static void hand_in_while_one_publishes(int32_t self) {
    struct nsd_event event;

    atomic_fetch_sub(&nsd_queue_ready, 1);
    alarm(20);
    submit__prepare(&event, NSD_CALL_MOUNT, self);
    submit__event(&event);
    alarm(0);
    atomic_fetch_add(&nsd_queue_ready, 1);
    CHECK(queue__is_empty());
}

int main(void) {
    int32_t self = (int32_t) sys__gettid();
    struct nsdrift_drift drift[4];
    struct nsd_event event;
    pthread_t thread;

    pthread_barrier_init(&barrier, NULL, 2);
    nsd_image.pid = nsd_image.leader = self;
    submit__begin(self, self);
    language__set(&language);
    submit__observe(self, NSD_ALL_KINDS);
    pthread_create(&thread, NULL, stands_elsewhere, NULL);
    pthread_barrier_wait(&barrier);
    if (error != 0) {
        printf("unshare: %d\n", error);
        return 77;
    }
    CHECK(submit__drift(self, drift, 4) == 0);
    submit__prepare(&event, NSD_CALL_OPEN, self); /* the first descriptor: the callback comes */
    submit__event(&event);
    CHECK(submit__drift(self, drift, 4) == 1);
    CHECK(drift[0].tid == other);
    CHECK(drift[0].kinds == NSD_KIND_BIT(NSD_KIND_UTS));
    hand_in_while_one_publishes(self);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    return failed;
}
