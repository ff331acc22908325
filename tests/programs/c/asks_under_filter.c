/*
 * Asks nsdrift everything that its header offers, after a seccomp filter that kills the process at
 * any system call which this program does not make itself. Must be reported: nothing that costs the
 * program its life.
 */
#include "host.h"

#include "../../../include/nsdrift.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int main(void) {
    struct nsdrift_drift drift[4];
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_write),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
    nsdrift_version();
    nsdrift_thread_pin();
    nsdrift_check(drift, 4);
    nsdrift_thread_unpin();
    nsdrift_report();
    nsdrift_check(NULL, 0);
    return write(1, "alive\n", 6) != 6;
}
