/*
 * A signal handler runs in the parent of a vfork-like child as the call returns. FORM is how the
 * child is made: vfork, number (syscall(SYS_vfork)), raw (syscall(SYS_clone)) or clone. WAY:
 *   visits     the handler goes to another namespace and comes back. Must be reported: nothing.
 *   moves      the handler moves main for good beside a sibling at home.
 *   jumps      the handler jumps out of the call; then main moves, as above.
 *   exits      main has moved as above; the handler ends the program.
 *   cancelled  a thread is cancelled as its call returns, and the sibling is the next thread, which
 *              gets its thread pointer; then main moves, as above.
 * Must be reported in the last four: main-switched, a warning.
 */
#include "host.h"
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>

static const char *form, *way;
static sigjmp_buf before_call;
static sem_t turn, done;
static pthread_t beside;
static volatile sig_atomic_t handled;

static bool is(const char *which, const char *word) {
    return strcmp(which, word) == 0;
}

static void use_network(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    must(fd >= 0, "socket");
    close(fd);
}

static void *sibling(void *unused) {
    use_network();
    wait_for(&turn);
    use_network();
    post(&done);
    return unused;
}

static void move_main(void) {
    must(unshare(CLONE_NEWNET) == 0, "unshare");
}

static KEEP void visit(void) {
    int home = own_namespace("net");

    move_main();
    use_network();
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void let_sibling_work(void) {
    post(&turn);
    wait_for(&done);
    join(beside);
    use_network();
}

static void handler(int number) {
    (void) number;
    handled++;
    if (is(way, "jumps"))
        siglongjmp(before_call, 1);
    if (is(way, "exits"))
        _exit(3);
    if (is(way, "moves"))
        move_main();
    else
        visit();
}

/* ---- the call ---- */

static int child(void *unused) {
    (void) unused;
    if (!is(way, "exits"))
        usleep(100000);
    syscall(SYS_exit_group, 0);
    return 0;
}

static KEEP long make_child(void) {
    static char stack[65536] __attribute__((aligned(16)));
    volatile long pid;

    if (is(form, "clone"))
        return clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    pid = is(form, "vfork")    ? vfork()
          : is(form, "number") ? syscall(SYS_vfork)
                               : syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        child(NULL);
    return pid;
}

static void *cancelled(void *unused) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    make_child();
    pause();
    return unused;
}

/* The signal must be pending when the call returns: SIGCHLD is, the timer's runs out before. */
static void handle(int number) {
    struct sigaction action = {.sa_handler = handler};

    sigaction(number, &action, NULL);
}

int main(int count, char **arguments) {
    struct itimerval soon = {.it_value = {.tv_usec = 30000}};

    must(count == 3, "arguments: FORM WAY");
    form = arguments[1];
    way = arguments[2];
    sem_init(&turn, 0, 0);
    sem_init(&done, 0, 0);
    if (is(way, "cancelled")) {
        pthread_t other = start(cancelled, NULL);

        usleep(30000);
        pthread_cancel(other);
        join(other);
    }
    beside = start(sibling, NULL);
    if (is(way, "exits")) {
        move_main();
        let_sibling_work();
    }
    if (is(way, "jumps")) {
        handle(SIGALRM);
        if (sigsetjmp(before_call, 1) == 0) {
            setitimer(ITIMER_REAL, &soon, NULL);
            make_child();
            must(0, "the jump");
        }
    } else if (!is(way, "cancelled")) {
        handle(SIGCHLD);
        must(make_child() > 0, "the child");
        while (handled == 0)
            usleep(1000);
    }
    if (is(way, "jumps") || is(way, "cancelled"))
        move_main();
    let_sibling_work();
    puts("done");
    return 0;
}
