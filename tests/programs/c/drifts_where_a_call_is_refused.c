/*
 * A pool worker that stays away (left-switched) in a sandbox whose filter answers the system call
 * NUMBER with EPERM. With a second argument the filter is there before the program starts: it is
 * installed, and the program executes itself. Without arguments: the fault alone.
 */
#include "host.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static sem_t done, work;

static KEEP void visit(int fail) {
    int home = own_namespace("uts");

    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    if (!fail)
        must(setns(home, CLONE_NEWUTS) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    for (int job = 0; job < 3; job++) {
        visit(job == 2);
        post(&done);
        wait_for(&work);
    }
    return unused;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        struct sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) atoi(argv[1]), 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

        must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
        must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
    }
    if (argc > 2) {
        execl("/proc/self/exe", argv[0], (char *) NULL);
        must(0, "exec");
    }
    sem_init(&done, 0, 0);
    sem_init(&work, 0, 0);
    start(worker, NULL);
    for (int job = 0; job < 3; job++) {
        wait_for(&done);
        if (job < 2)
            post(&work);
    }
    return 0;
}
