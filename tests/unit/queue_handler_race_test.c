/*
 * The queue of the intake while a signal handler interrupts the thread that takes events out, and
 * takes some itself, as a report in a handler does: each event comes out once, and the count is
 * right afterwards.
 */
#include "intake/queue.h"
#include "race.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

#define EVENTS 40000u
#define AT_ONCE 8u

static unsigned char taken[EVENTS];

static void take_all(void) {
    struct nsd_event event;

    while (queue__take(&event))
        taken[event.token]++;
}

static void on_alarm(int number) {
    (void) number;
    take_all();
}

static void put(uint32_t first) {
    struct nsd_event event;

    memset(&event, 0, sizeof event);
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        event.token = first + i;
        CHECK(queue__put(&event));
    }
}

int main(void) {
    signal(SIGALRM, on_alarm);
    for (uint32_t i = 0; i < EVENTS; i += AT_ONCE) {
        /* One alarm a round: faster ones would not let the round end where all is slow. */
        const struct itimerval once = {{0, 0}, {0, 1 + i / AT_ONCE % 8}};

        put(i);
        setitimer(ITIMER_REAL, &once, NULL);
        take_all();
    }
    signal(SIGALRM, SIG_IGN);
    take_all();
    for (uint32_t i = 0; i < EVENTS; i++)
        CHECK(taken[i] == 1);
    CHECK(queue__length() == 0 && !queue__has_complete());
    return race__result();
}
