/*
 * vfork children that unshare, mount and exec, or unshare and _exit: they run in their parent's
 * memory while another thread of it makes visits. Must be reported: nothing.
 */
#include "host.h"

static int other;
static sem_t stop;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *visitor(void *unused) {
    for (int i = 0; i < 50; i++)
        visit();
    return unused;
}

int main(void) {
    sem_init(&stop, 0, 0);
    other = other_network();
    pthread_t thread = start(visitor, NULL);
    for (int i = 0; i < 10; i++) {
        static char *const arguments[] = {"sh", "-c", "exit 5", NULL};
        pid_t child = vfork();
        if (child == 0) {
            if (unshare(CLONE_NEWNS | CLONE_NEWUTS) != 0)
                _exit(6);
            if (i % 2)
                _exit(5);
            execve("/bin/sh", arguments, environ);
            _exit(7);
        }
        must(child > 0, "vfork");
        int status;
        must(waitpid(child, &status, 0) == child, "waitpid");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
            return 71;
    }
    join(thread);
    puts("done");
    return 0;
}
