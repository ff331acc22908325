/*
 * Sets a seccomp filter that only answers one call with an error, and tries to set two that the
 * kernel refuses; then a thread stays in another namespace. Must be reported: a warning,
 * left-switched, because none of these filters can harm the program that is watched.
 */
#include "host.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static int other;
static sem_t done, work;

static KEEP void visit(int fail) {
    int home = own_namespace("net");

    must(setns(other, CLONE_NEWNET) == 0, "setns");
    if (!fail) /* the fault: away for good */
        must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    for (int i = 0; i < 2; i++) {
        visit(i == 1);
        post(&done);
        wait_for(&work);
    }
    return unused;
}

int main(void) {
    struct sock_filter kill[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter}, empty = {0, kill};

    other = other_network();
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty, 0, 0) == -1, "an empty filter");
    must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1, "no filter");
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
    start(worker, NULL);
    wait_for(&done);
    post(&work);
    wait_for(&done);
    return 0;
}
