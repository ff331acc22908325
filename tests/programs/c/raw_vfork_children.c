/*
 * vfork-like children made by syscall(): clone, clone3 and vfork by number, on their parent's
 * stack, and clone on a stack of their own. Each moves to other namespaces and ends, or execs; the
 * thread that made them never moves, and another one uses the network meanwhile. Must be
 * reported: nothing.
 */
#include "host.h"
#include <linux/sched.h>
#include <signal.h>

static sem_t turn, done;

static void *sibling(void *unused) {
    wait_for(&turn);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    close(fd);
    post(&done);
    return unused;
}

/* In a frame below the one that made the child. */
static int executes;
static KEEP void child(void) {
    static char *const arguments[] = {"sh", "-c", "exit 5", NULL};
    char room[256];

    memset(room, 0x5a, sizeof room); /* over what its parent has left there */
    __asm__ volatile("" : : "r"(room) : "memory");
    if (unshare(CLONE_NEWNET | CLONE_NEWUTS) != 0)
        syscall(SYS_exit_group, 6);
    if (executes)
        execve("/bin/sh", arguments, environ);
    syscall(SYS_exit_group, executes ? 7 : 5);
}

static void begins_on_its_own(void) {
    child();
}

static KEEP pid_t on_own_stack(void) {
    static char stack[65536] __attribute__((aligned(16)));
    void **top = (void **) (stack + sizeof stack) - 2;

    *top = (void *) begins_on_its_own; /* where syscall() returns to in the child */
    return (pid_t) syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, top, NULL, NULL, 0);
}

/*
 * The child calls from the frame that its parent comes back to, so without nsdrift the parent may
 * come back from that call of the child's instead of its own (syscall()'s return address is written
 * over): nothing is asked of what it had in registers or on the stack.
 */
static KEEP void expect_child(void) {
    int status;

    must(waitpid(-1, &status, 0) > 0, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 5) {
        fprintf(stderr, "a child's status: %x\n", status);
        exit(71);
    }
}

#define BY(...)                                                                                    \
    do {                                                                                           \
        if (syscall(__VA_ARGS__) == 0)                                                             \
            child();                                                                               \
        expect_child();                                                                            \
    } while (0)

static KEEP void by_clone(void) {
    BY(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
    STAY();
}

static KEEP void by_vfork(void) {
    BY(SYS_vfork);
    STAY();
}

static KEEP void by_clone3(void) {
    static struct clone_args arguments = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};

    BY(SYS_clone3, &arguments, sizeof arguments);
    STAY();
}

int main(void) {
    sem_init(&turn, 0, 0);
    sem_init(&done, 0, 0);
    pthread_t thread = start(sibling, NULL);
    /* What must fail fails as it would, and with its errno. */
    errno = 0;
    must(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | CLONE_SIGHAND | CLONE_NEWUSER | CLONE_FS, 0, 0,
                 0, 0) == -1 &&
             errno == EINVAL,
         "clone that must fail");
    for (executes = 0; executes < 2; executes++) {
        by_clone();
        by_vfork();
        by_clone3();
    }
    executes = 0;
    must(on_own_stack() > 0, "clone on a stack of its own");
    expect_child();
    post(&turn);
    wait_for(&done);
    join(thread);
    puts("done");
    return 0;
}
