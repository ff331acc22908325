/*
 * Signals arrive all the time while the main thread reports (at execs that fail, and at its end).
 * Each handler checks that it runs on the stack that the program gave it: the main thread's own,
 * where it takes 256 KiB, or the alternate one. A handler on the alternate stack makes such an exec
 * too, and must find its frame as it left it. A garbage collector that stops threads by signals
 * relies on the same. Must end with 3 as natively, and must be reported: left-switched, a warning.
 */
#include "host.h"
#include <signal.h>
#include <time.h>

#define ALTERNATE (64u << 10)
#define DEEP (256u << 10)

static char alternate[ALTERNATE] __attribute__((aligned(64)));
static uintptr_t lowest, highest;
static _Atomic int over;
static pthread_t main_thread;

static void fail(const char *what) {
    if (write(2, what, strlen(what)) < 0)
        _exit(8);
    _exit(9);
}

static KEEP void use(volatile char *memory, size_t size) {
    for (size_t i = 0; i < size; i += 512)
        memory[i] = (char) i;
}

static void on_own_stack(int number) {
    volatile char deep[DEEP];
    uintptr_t here = (uintptr_t) deep;

    (void) number;
    if (here < lowest || here >= highest)
        fail("a handler runs on a foreign stack\n");
    use(deep, sizeof deep);
}

static void exec_nothing(void) {
    char *list[] = {"nothing", NULL};
    execv("/nonexistent/nothing", list);
}

static void on_alternate_stack(int number) {
    volatile long mark[64];

    if ((uintptr_t) mark - (uintptr_t) alternate >= ALTERNATE)
        fail("a handler misses the alternate stack\n");
    for (int i = 0; i < 64; i++)
        mark[i] = 3 * i;
    if (number == SIGUSR2)
        exec_nothing();
    for (int i = 0; i < 64; i++)
        if (mark[i] != 3 * i)
            fail("the frame of a handler is overwritten\n");
}

static void handle(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaddset(&action.sa_mask, SIGUSR1); /* the alternate stack has no room for the deep one */
    must(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void *pester(void *unused) {
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP};
    const struct timespec pause = {.tv_nsec = 20000};
    for (unsigned i = 0; !over; i++) {
        pthread_kill(main_thread, signals[i % 3]);
        nanosleep(&pause, NULL);
    }
    return unused;
}

static int other;
static volatile int visits = 2; /* so that the loop stays a loop: one call, one stack */
static sem_t done;

static KEEP void visit(int fails) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (fails)
        return;
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    STAY();
}

static void *visits_and_stays(void *unused) {
    for (int i = 0; i < visits; i++)
        visit(i == 1);
    post(&done);
    pause();
    return unused;
}

int main(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = ALTERNATE};
    pthread_attr_t attributes;
    void *low;
    size_t size;

    other = other_network();
    sem_init(&done, 0, 0);
    main_thread = pthread_self();
    must(pthread_getattr_np(main_thread, &attributes) == 0, "pthread_getattr_np");
    pthread_attr_getstack(&attributes, &low, &size);
    lowest = (uintptr_t) low;
    highest = lowest + size;
    must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    handle(SIGUSR1, on_own_stack, 0);
    handle(SIGUSR2, on_alternate_stack, SA_ONSTACK);
    handle(SIGHUP, on_alternate_stack, SA_ONSTACK);
    start(visits_and_stays, NULL);
    wait_for(&done);
    start(pester, NULL);
    for (int i = 0; i < 200; i++)
        exec_nothing();
    return 3;
}
