/*
 * A server in a sandbox that forks: its seccomp filter kills at any system call but the few that it
 * makes itself from then on, in the child too. With an argument: strict mode, under which reading
 * the tick counter is answered by a signal as well. Must end as it does alone.
 */
#include "host.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int main(int argc, char **argv) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_clone),
        ALLOW(SYS_wait4),
        ALLOW(SYS_set_robust_list),
        ALLOW(SYS_rseq),
        ALLOW(SYS_unshare),
        ALLOW(SYS_setns),
        ALLOW(SYS_close),
        ALLOW(SYS_gettid), /* musl's fork */
        ALLOW(SYS_rt_sigprocmask),
        ALLOW(SYS_fork),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    int home = own_namespace("uts"), status;

    (void) argv;
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    if (argc > 1) {
        must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0, "SECCOMP_MODE_STRICT");
        syscall(SYS_exit, 3);
    }
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();

        if (child == 0) {
            if (unshare(CLONE_NEWUTS) != 0 || setns(home, CLONE_NEWUTS) != 0)
                _exit(1);
            close(home);
            _exit(0);
        }
        if (child < 0 || wait4(child, &status, 0, NULL) != child || status != 0)
            _exit(2);
    }
    _exit(0);
}
