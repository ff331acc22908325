/*
 * starts_under_filter NUMBER HOW PROGRAM ARGUMENT...: executes PROGRAM under a seccomp filter that
 * answers the system call NUMBER so: kill (the process), trap, or an errno.
 */
#include "host.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

int main(int argc, char **argv) {
    unsigned answer, number;

    must(argc > 3, "arguments");
    number = (unsigned) atoi(argv[1]);
    answer = !strcmp(argv[2], "kill")   ? SECCOMP_RET_KILL_PROCESS
             : !strcmp(argv[2], "trap") ? SECCOMP_RET_TRAP
                                        : SECCOMP_RET_ERRNO | (unsigned) atoi(argv[2]);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
    must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
    execv(argv[3], argv + 3);
    perror(argv[3]);
    return 76;
}
