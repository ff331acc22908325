/*
 * Hides the library that is named first in LD_PRELOAD (natively: nothing of ours), as a new root
 * does, then sets a seccomp filter that refuses one call, and execs: what sandboxes do in this
 * order. The next image must not be told to preload what is not there: ld.so would complain.
 */
#include "host.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

int main(void) {
    const char *preload = getenv("LD_PRELOAD");
    char *hidden = strdup(preload == NULL ? "/etc/hostname" : preload);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    hidden[strcspn(hidden, ": ")] = '\0';
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    must(mount("/dev/null", hidden, NULL, MS_BIND, NULL) == 0, hidden);
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
    execl("/bin/echo", "echo", "inside", (char *) NULL);
    return 70;
}
