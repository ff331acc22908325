/*
 * A main thread that stays in another network namespace beside a thread that uses the old one
 * (main-switched), and signals at random moments of a loop of setns and mount calls. WAY says what
 * the handler does, COUNT how often (exit: how long until it comes):
 *
 *     jump    siglongjmp out of the calls, then the fault
 *     cancel  COUNT threads, each cancelled asynchronously in the loop, then the fault
 *     fork    a child that returns from the handler into the call; each must end by itself
 *     exit    the fault, then _exit in the handler
 *     exec    the fault, then an exec in the handler
 *     late    the fault, then exit; _exit in the handler, which may interrupt the report
 *
 * With a third argument, two threads make as many setns calls each after the jumps or cancels.
 */
#include "host.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>

#define CHILDREN_MOST 1000

static int uts;
static pthread_barrier_t turn;
static sem_t never;
static uint64_t state = 88172645463325252ull;

static void *sibling_at_home(void *unused) {
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    close(socket(AF_INET, SOCK_DGRAM, 0));
    pthread_barrier_wait(&turn);
    wait_for(&never);
    return unused;
}

static KEEP void known_fault(void) {
    pthread_barrier_init(&turn, NULL, 2);
    start(sibling_at_home, NULL);
    pthread_barrier_wait(&turn);
    must(unshare(CLONE_NEWNET) == 0, "unshare"); /* the fault */
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    STAY();
}

static unsigned up_to(unsigned most) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned) (state % most);
}

static void call_once(void) {
    setns(uts, CLONE_NEWUTS);
    mount("none", "/nowhere", "tmpfs", 0, NULL);
}

static void alarm_in(unsigned microseconds) {
    struct itimerval once = {{0, 0}, {0, (long) microseconds + 1}};

    setitimer(ITIMER_REAL, &once, NULL);
}

static void on_alarm(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};

    sigaction(SIGALRM, &action, NULL);
}

/* ---- what handlers do ---- */

static sigjmp_buf again;
static volatile int count;

static void jumps(int number) {
    (void) number;
    siglongjmp(again, 1);
}

static void exits(int number) {
    (void) number;
    _exit(3);
}

static void execs(int number) {
    (void) number;
    execl("/bin/sh", "sh", "-c", "exit 3", (char *) NULL);
    _exit(71);
}

static pid_t child[CHILDREN_MOST];
static volatile int children, is_child;

static void forks(int number) {
    pid_t pid;
    int error = errno;

    (void) number;
    if (is_child || children == CHILDREN_MOST)
        return;
    pid = fork();
    if (pid == 0)
        is_child = 1;
    else if (pid > 0)
        child[children++] = pid;
    errno = error;
}

/* ---- the ways ---- */

static void jump(int wanted) {
    on_alarm(jumps);
    sigsetjmp(again, 1);
    if (count++ >= wanted)
        return;
    alarm_in(20 + up_to(200));
    for (;;)
        call_once();
}

static void *calls_for_ever(void *unused) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;)
        call_once();
    return unused;
}

static void cancel(int wanted) {
    for (int i = 0; i < wanted; i++) {
        pthread_t worker = start(calls_for_ever, NULL);
        usleep(up_to(300));
        pthread_cancel(worker);
        join(worker);
    }
}

static int fork_often(int wanted) {
    int wrong = 0;

    if (wanted > CHILDREN_MOST)
        wanted = CHILDREN_MOST;
    on_alarm(forks);
    while (children < wanted) {
        int before = children;
        alarm_in(20 + up_to(200));
        while (children == before && !is_child)
            call_once();
        if (is_child) {
            for (int i = 0; i < 20; i++)
                call_once();
            exit(3);
        }
    }
    for (int i = 0; i < children; i++) {
        int status = -1;
        waitpid(child[i], &status, 0);
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 3;
    }
    printf("%d of %d children ended otherwise\n", wrong, children);
    return wrong != 0;
}

static void end(void (*handler)(int), int moment) {
    state += (uint64_t) moment << 20;
    known_fault();
    on_alarm(handler);
    alarm_in(1000 + up_to(3000));
    for (;;)
        call_once();
}

static void end_late(int moment) {
    state += (uint64_t) moment << 20;
    known_fault();
    on_alarm(exits);
    alarm_in(up_to(4000));
    exit(3);
}

/* ---- afterwards ---- */

static void *calls(void *number) {
    for (long i = 0; i < (long) number; i++)
        setns(uts, CLONE_NEWUTS);
    return NULL;
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    int wanted = argc > 2 ? atoi(argv[2]) : 1;

    sem_init(&never, 0, 0);
    uts = own_namespace("uts");
    must(setns(uts, CLONE_NEWUTS) == 0, "setns");
    if (strcmp(way, "jump") == 0)
        jump(wanted);
    else if (strcmp(way, "cancel") == 0)
        cancel(wanted);
    else if (strcmp(way, "fork") == 0)
        return fork_often(wanted);
    else if (strcmp(way, "late") == 0)
        end_late(wanted);
    else
        end(strcmp(way, "exec") == 0 ? execs : exits, wanted);
    if (argc > 3) {
        pthread_t first = start(calls, (void *) atol(argv[3]));
        pthread_t second = start(calls, (void *) atol(argv[3]));
        join(first);
        join(second);
    }
    known_fault();
    puts("done");
    return 0;
}
