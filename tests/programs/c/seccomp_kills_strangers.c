/*
 * Sets a seccomp filter that kills the process at any system call which this program does not make
 * itself after that point, then switches, ends a thread switched, and exits. Must be reported:
 * nothing that costs the program its life; a note, died-switched, where it can still be written.
 */
#include "host.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static sem_t go;

static void *worker(void *unused) {
    wait_for(&go);
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    return unused;
}

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int main(int argc, char **argv) {
    (void) argv;
    sem_init(&go, 0, 0);
    pthread_t thread = start(worker, NULL);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_unshare),
        ALLOW(SYS_futex),
        ALLOW(SYS_exit),
        ALLOW(SYS_exit_group),
        ALLOW(SYS_write),
        ALLOW(SYS_newfstatat),
        ALLOW(SYS_fstat),
        ALLOW(SYS_rt_sigprocmask),
        ALLOW(SYS_madvise),
        ALLOW(SYS_munmap),
        ALLOW(SYS_rseq),
        ALLOW(SYS_set_robust_list),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    puts("filter");
    fflush(stdout);
    if (argc > 1)
        must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
    else
        must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
                 0,
             "seccomp");
    post(&go);
    if (argc > 1)
        _exit(0);
    join(thread);
    return 0;
}
