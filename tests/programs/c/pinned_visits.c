/*
 * A worker pins itself, twice over, visits another network namespace and comes home before it
 * unpins; meanwhile main asks nsdrift where the threads are. Must be reported: nothing.
 */
#include "host.h"

#include "../../../include/nsdrift.h"

static int other;
static pid_t worker_tid;
static sem_t is_away, may_go_home;

static const char *const kind_names[] = {NSDRIFT_KIND_NAMES};

/* Where nsdrift is not loaded every answer is 0. */
static int is_loaded(void) {
    return nsdrift_version()[0] != '\0';
}

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    nsdrift_thread_pin();
    post(&is_away);
    wait_for(&may_go_home);
    nsdrift_thread_unpin(); /* the outer pin holds */
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    worker_tid = (pid_t) syscall(SYS_gettid);
    nsdrift_thread_pin();
    visit();
    nsdrift_thread_unpin();
    return unused;
}

static int is_answer_right(void) {
    struct nsdrift_drift drift[2] = {{.tid = -1}, {.tid = -1}};

    if (nsdrift_check(drift, 0) != 1 || drift[0].tid != -1)
        return 0;
    return nsdrift_check(drift, 2) == 1 && drift[0].tid == worker_tid && drift[0].pinned == 2 &&
           !drift[0].is_main && strcmp(kind_names[__builtin_ctz(drift[0].kinds)], "net") == 0 &&
           (drift[0].kinds & (drift[0].kinds - 1)) == 0 && drift[1].tid == -1;
}

int main(void) {
    struct nsdrift_drift drift;

    sem_init(&is_away, 0, 0);
    sem_init(&may_go_home, 0, 0);
    other = other_network();
    if (nsdrift_check(&drift, 1) != 0)
        return 71;
    pthread_t thread = start(worker, NULL);
    wait_for(&is_away);
    if (is_loaded() && !is_answer_right())
        return 72;
    post(&may_go_home);
    join(thread);
    if (nsdrift_check(&drift, 1) != 0)
        return 73;
    puts("done");
    return 0;
}
