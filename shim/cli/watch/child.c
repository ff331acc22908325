/*
 * Starts a program and waits for it, see child.h. The program gets the signal dispositions and the
 * mask that nsdrift was started with.
 */
#include "cli/watch/child.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int ignored[] = {SIGINT, SIGQUIT};
static const int forwarded[] = {SIGTERM, SIGHUP};
#define IGNORED (sizeof ignored / sizeof ignored[0])
#define FORWARDED (sizeof forwarded / sizeof forwarded[0])

static volatile sig_atomic_t forward_to;
static volatile sig_atomic_t has_forwarded;

static void forward(int signal) {
    int error = errno;

    has_forwarded = 1;
    if (forward_to > 0)
        kill((pid_t) forward_to, signal);
    errno = error;
}

struct dispositions {
    struct sigaction ignored[IGNORED], forwarded[FORWARDED], child;
    sigset_t mask;
};

/* All signals are blocked until the fork is done and the child's pid is known. */
static void take_signals(struct dispositions *before) {
    struct sigaction action;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before->mask);
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < IGNORED; i++)
        sigaction(ignored[i], &action, &before->ignored[i]);
    action.sa_handler = forward;
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < FORWARDED; i++) {
        sigaction(forwarded[i], NULL, &before->forwarded[i]);
        if (before->forwarded[i].sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(forwarded[i], &action, NULL);
    }
    /* With SIGCHLD ignored, waitpid(2) does not tell how a child ended. */
    action.sa_handler = SIG_DFL;
    action.sa_flags = 0;
    sigaction(SIGCHLD, &action, &before->child);
}

static void give_signals_back(const struct dispositions *before) {
    for (size_t i = 0; i < IGNORED; i++)
        sigaction(ignored[i], &before->ignored[i], NULL);
    sigaction(SIGCHLD, &before->child, NULL);
    for (size_t i = 0; i < FORWARDED; i++) {
        struct sigaction action = before->forwarded[i];

        /*
         * timeout(1) and others send a signal twice, to the process and to its group. The program
         * has ended by the first one; the second must not cut the report short.
         */
        if (has_forwarded)
            action.sa_handler = SIG_IGN;
        sigaction(forwarded[i], &action, NULL);
    }
}

/* Waits until the parent has taken hold of us, or has died. */
static void wait_for_go(int go) {
    ssize_t got;
    char byte;

    do {
        got = read(go, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(127);
}

/* In the child: never returns. */
static void start(int tell, int go, const struct dispositions *before, const char *path,
                  char **arguments, char **environment) {
    int error;

    if (go >= 0)
        wait_for_go(go);
    give_signals_back(before);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
    /* execvpe makes the shell run a file without a #! line. The path has a slash by now. */
    execvpe(path, arguments, environment);
    error = errno;
    while (write(tell, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(127);
}

static int read_error(int from) {
    int error = 0;
    ssize_t got;

    do {
        got = read(from, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t) sizeof error ? error : 0;
}

/* False if the program is not to be started. The child is gone then. */
static bool take(const struct nsd_holder *holder, struct nsd_child *child, int go) {
    if (!holder->take(holder->context, child->pid)) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
            ;
        return false;
    }
    while (write(go, "", 1) < 0 && errno == EINTR)
        ;
    return true;
}

/* False if the child has ended already. */
static bool passes_exec(const struct nsd_holder *holder, struct nsd_child *child) {
    return holder == NULL || holder->at_exec == NULL ||
           holder->at_exec(holder->context, &child->status);
}

bool child__run(struct nsd_child *child, const char *path, char **arguments, char **environment,
                const struct nsd_holder *holder) {
    struct dispositions before;
    int tell[2], go[2] = {-1, -1};
    bool taken = true, alive;

    memset(child, 0, sizeof *child);
    if (pipe2(tell, O_CLOEXEC) != 0) {
        child->error = errno;
        return false;
    }
    if (holder != NULL && pipe2(go, O_CLOEXEC) != 0) {
        child->error = errno;
        close(tell[0]);
        close(tell[1]);
        return false;
    }
    take_signals(&before);
    child->pid = fork();
    if (child->pid == 0) {
        if (holder != NULL)
            close(go[1]);
        start(tell[1], go[0], &before, path, arguments, environment);
    }
    if (child->pid < 0)
        child->error = errno;
    else
        forward_to = (sig_atomic_t) child->pid;
    sigprocmask(SIG_SETMASK, &before.mask, NULL);
    close(tell[1]);
    if (child->pid > 0) {
        if (holder != NULL)
            taken = take(holder, child, go[1]);
        alive = taken && passes_exec(holder, child);
        child->error = read_error(tell[0]);
        while (alive && waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
            ;
        if (holder != NULL && holder->over != NULL)
            holder->over(holder->context);
    }
    forward_to = 0;
    close(tell[0]);
    if (holder != NULL) {
        close(go[0]);
        close(go[1]);
    }
    give_signals_back(&before);
    return child->error == 0 && taken;
}
