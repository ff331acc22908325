/*
 * clone() by libc and by syscall() with new namespaces: children of their own, not threads; and a
 * raw thread (CLONE_THREAD) that no pthread library knows and that visits another namespace. Must
 * be reported: no error, no warning.
 */
#include "host.h"
#include <signal.h>

static int other;
static volatile int raw_thread_done;

static int child(void *unused) {
    (void) unused;
    return sethostname("child", 5) == 0 ? 5 : 6;
}

static int raw_thread(void *argument) {
    int home = *(int *) argument;
    if (setns(other, CLONE_NEWNET) != 0 || setns(home, CLONE_NEWNET) != 0)
        raw_thread_done = -1;
    else
        raw_thread_done = 1;
    syscall(SYS_futex, &raw_thread_done, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
    syscall(SYS_exit, 0);
    return 0;
}

int main(void) {
    static char stack[65536] __attribute__((aligned(16)));
    int status;
    other = other_network();
    pid_t pid = clone(child, stack + sizeof stack, CLONE_NEWNET | CLONE_NEWUTS | SIGCHLD, NULL);
    must(pid > 0, "clone");
    must(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5, "waitpid");

    pid = (pid_t) syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);
    must(pid >= 0, "clone by syscall");
    if (pid == 0) {
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
            _exit(6);
        _exit(5);
    }
    must(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5, "waitpid");

    int home = own_namespace("net");
    must(clone(raw_thread, stack + sizeof stack,
               CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
               &home) > 0,
         "clone of a thread");
    while (!raw_thread_done)
        syscall(SYS_futex, &raw_thread_done, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0);
    if (raw_thread_done != 1)
        return 71;
    puts("done");
    return 0;
}
