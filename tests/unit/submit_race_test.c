/*
 * Events of several threads at once through the one door: whether a thread has the lock itself or
 * leaves its event in the queue, each event is taken in or counted as lost. Meanwhile the same
 * threads ask what can be asked without the lock.
 */
#include "base/syscall.h"
#include "host/image.h"
#include "intake/language.h"
#include "intake/last_words.h"
#include "intake/observed.h"
#include "intake/submit.h"
#include "nsdrift.h"
#include "race.h"

#include <stdbool.h>

#define ROUNDS 3000
#define QUEUE 256 /* as many events as submit.c has room for */
#define BURST 400

static _Atomic bool holding, queued;
static _Atomic uint64_t handed_in, words;

static void mount_once(int32_t tid) {
    struct nsd_event event;

    submit__prepare(&event, NSD_CALL_MOUNT, tid);
    event.result = -1; /* it fails: the ledger knows of no mount, and the event counts */
    submit__event(&event);
    handed_in++;
}

static void crowd(unsigned number) {
    int32_t tid = (int32_t) sys__gettid();

    (void) number;
    for (unsigned i = 0; i < ROUNDS; i++) {
        mount_once(tid);
        words += submit__any_switch() + submit__any_descriptor() +
                 observed__has(tid, NSD_ALL_KINDS) + (submit__new_token() == 0);
    }
}

/* Called under the lock: stays there until the other threads' events have overrun the queue. */
static void hold(void) {
    holding = true;
    while (!queued)
        sys__sched_yield();
}

static const struct nsd_language language = {.watch_descriptors = hold};

static _Atomic unsigned done;

static void overrun(unsigned number) {
    int32_t tid = (int32_t) sys__gettid();
    struct nsd_event event;

    if (number == 0) {
        submit__prepare(&event, NSD_CALL_OPEN, tid); /* the first descriptor: hold() is called */
        submit__event(&event);
        return;
    }
    while (!holding)
        sys__sched_yield();
    for (unsigned i = 0; i < BURST; i++)
        mount_once(tid);
    if (++done == RACE_THREADS - 1)
        queued = true;
}

/* Empties the queue, and counts as the closing line of a report does. */
static void count(int32_t tid) {
    struct nsd_event event;

    submit__prepare(&event, NSD_CALL_REPORT, tid);
    last_words__report(&event, NSD_OCCASION_SIGNAL);
}

/* Each token is given out once. */
static void tokens(unsigned number) {
    static _Atomic uint8_t given[RACE_THREADS * ROUNDS + 1];

    (void) number;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t token = submit__new_token();

        CHECK(token >= 1 && token <= RACE_THREADS * ROUNDS && given[token]++ == 0);
    }
}

int main(void) {
    int32_t self = (int32_t) sys__gettid();
    uint64_t events;

    nsd_image.pid = nsd_image.leader = self;
    submit__begin(self, self);
    race__run(tokens);
    language__set(&language);
    race__run(crowd);
    count(self);
    CHECK(handed_in == (uint64_t) RACE_THREADS * ROUNDS);
    CHECK(nsd_image.events + nsd_image.lost == handed_in);
    CHECK(words == 0);
    events = nsd_image.events;
    race__run(overrun);
    count(self);
    printf("%llu of %llu lost\n", (unsigned long long) nsd_image.lost,
           (unsigned long long) handed_in);
    CHECK(nsd_image.events + nsd_image.lost == handed_in);
    CHECK(nsd_image.events >= events + QUEUE && nsd_image.lost > 0);
    return race__result();
}
