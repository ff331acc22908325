/*
 * glibc's helper for SIGEV_THREAD timers is a thread that no wrapper saw being made: the program
 * then moves its main thread, beside that helper, for good. Must be reported: no error, no warning.
 */
#include "host.h"
#include <signal.h>
#include <time.h>

static sem_t fired;

static void on_timer(union sigval value) {
    (void) value;
    post(&fired);
}

int main(void) {
    sem_init(&fired, 0, 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer};
    struct itimerspec once = {{0, 0}, {0, 1000000}};
    timer_t timer;
    must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
    must(timer_settime(timer, 0, &once, NULL) == 0, "timer_settime");
    wait_for(&fired);
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    puts("done");
    return 0;
}
