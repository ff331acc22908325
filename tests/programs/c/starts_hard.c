/*
 * starts_hard WAY PROGRAM: starts the program as few do, and says what waiting for it told.
 */
#include "host.h"
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <time.h>

#define CHECK(good) must(good, #good)

static char *program[2];
static char stack[1 << 16];

static void pause_for(long microseconds) {
    struct timespec time = {.tv_nsec = microseconds * 1000};

    nanosleep(&time, NULL);
}

static int execute(void *ignored) {
    (void) ignored;
    execv(program[0], program);
    _exit(99);
}

static pid_t begin(void) {
    pid_t pid = fork();

    if (pid == 0)
        execute(NULL);
    return pid;
}

static void print_status(const char *what, int status) {
    if (WIFEXITED(status))
        printf("%s: exit %d\n", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: signal %d\n", what, WTERMSIG(status));
    else if (WIFSTOPPED(status))
        printf("%s: stopped %d\n", what, WSTOPSIG(status));
    else
        printf("%s: continued\n", what);
}

static void await(const char *what, pid_t pid, int options) {
    int status = 0;

    CHECK(waitpid(pid, &status, options) == pid);
    print_status(what, status);
}

/* ---- ways to start ---- */

static void *spin(void *ignored) {
    for (;;)
        getppid();
    return ignored;
}

static void *execute_later(void *ignored) {
    pause_for(2000);
    execute(ignored);
    return NULL;
}

static void by_thread(void) {
    pid_t pid = fork();

    if (pid == 0) {
        pthread_t thread;

        for (int i = 0; i < 6; i++)
            CHECK(pthread_create(&thread, NULL, spin, NULL) == 0);
        CHECK(pthread_create(&thread, NULL, execute_later, NULL) == 0);
        pause();
    }
    await("beside others", pid, 0);
    pid = fork();
    if (pid == 0) {
        pthread_t thread;

        CHECK(pthread_create(&thread, NULL, execute_later, NULL) == 0);
        pthread_exit(NULL);
    }
    await("after the main thread", pid, 0);
}

static void by_vfork(void) {
    pid_t pid = vfork();

    if (pid == 0)
        execute(NULL);
    await("vfork", pid, 0);
    CHECK(posix_spawn(&pid, program[0], NULL, NULL, program, environ) == 0);
    await("posix_spawn", pid, 0);
    printf("of nothing: %d\n", posix_spawn(&pid, "/nowhere/nothing", NULL, NULL, program, environ));
}

static void by_clone(void) {
    pid_t pid = fork(), sibling;

    if (pid == 0)
        _exit(clone(execute, stack + sizeof stack, CLONE_PARENT | SIGCHLD, NULL) > 0 ? 3 : 4);
    for (int i = 0; i < 2; i++) {
        int status = 0;

        sibling = wait(&status);
        print_status(sibling == pid ? "the maker" : "the sibling", status);
    }
    await("in our memory", clone(execute, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL), 0);
    await("without a signal", clone(execute, stack + sizeof stack, 0, NULL), __WALL);
}

static void of_orphans(void) {
    int status;
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            execute_later(NULL);
        _exit(3);
    }
    await("child", pid, 0);
    CHECK(wait(&status) > 0);
    print_status("orphan", status);
}

static void with_ignored_ends(void) {
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 10; i++)
        begin();
    CHECK(wait(NULL) < 0);
    printf("%s\n", strerror(errno));
}

/* ---- what is sent to it ---- */

/* A job that was stopped and continued goes on, at whatever moment of its start that is. */
static void stopped(void) {
    for (int i = 0; i < 60; i++) {
        pid_t pid = begin();

        for (int k = 0; k < 60; k++) {
            pause_for(20 + i % 7 * 20);
            kill(pid, SIGSTOP);
            kill(pid, SIGCONT);
        }
        alarm(20); /* one that does not go on */
        await("it", pid, 0);
        alarm(0);
    }
}

/* One that is left stopped stays so. */
static void left_stopped(void) {
    for (int i = 0; i < 40; i++) {
        siginfo_t news = {0};
        pid_t pid = begin();

        pause_for(i * 60);
        kill(pid, SIGSTOP);
        CHECK(waitid(P_PID, (id_t) pid, &news, WSTOPPED | WEXITED | WNOWAIT) == 0);
        if (news.si_code == CLD_STOPPED) {
            pause_for(3000);
            memset(&news, 0, sizeof news);
            CHECK(waitid(P_PID, (id_t) pid, &news, WEXITED | WNOHANG | WNOWAIT) == 0);
            CHECK(news.si_pid == 0);
            kill(pid, SIGCONT);
        }
        while (waitid(P_PID, (id_t) pid, &news, WEXITED) < 0)
            ;
        CHECK(news.si_code == CLD_EXITED && news.si_status == 0);
    }
    puts("all");
}

static void killed(void) {
    int others = 0;

    for (int i = 0; i < 120; i++) {
        int status = 0;
        pid_t pid = begin();

        pause_for(i * 30);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid);
        others += status != 0 && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL);
    }
    printf("ended otherwise: %d\n", others);
}

/* Signals with a value: each arrives, with its own. */
#define SENT 200
static volatile int sum, count;

static void take(int number, siginfo_t *info, void *ignored) {
    (void) number;
    (void) ignored;
    sum += info->si_value.sival_int * (info->si_code == SI_QUEUE);
    count++;
}

static void with_values(void) {
    struct sigaction action = {.sa_sigaction = take, .sa_flags = SA_SIGINFO};
    pid_t us = getpid(), pid;

    sigaction(SIGRTMIN + 3, &action, NULL);
    sigaction(SIGRTMAX, &action, NULL);
    pid = fork();
    if (pid == 0) {
        for (int i = 1; i <= SENT; i++) {
            while (sigqueue(us, i % 2 ? SIGRTMAX : SIGRTMIN + 3, (union sigval){.sival_int = i}) !=
                   0)
                pause_for(10);
        }
        _exit(0);
    }
    while (count < SENT)
        pause_for(100);
    printf("%d signals, %d\n", count, sum);
    while (waitpid(pid, NULL, 0) < 0)
        ;
}

static void with_job_control(void) {
    pid_t pid = fork();
    siginfo_t news = {0};

    if (pid == 0) {
        raise(SIGSTOP);
        execute(NULL);
    }
    CHECK(waitid(P_ALL, 0, &news, WSTOPPED | WNOWAIT) == 0);
    printf("code %d, status %d\n", news.si_code, news.si_status);
    await("stop", pid, WUNTRACED);
    printf("no news: %d\n", waitpid(pid, NULL, WUNTRACED | WNOHANG));
    kill(pid, SIGCONT);
    await("go", pid, WCONTINUED);
    CHECK(waitid(P_ALL, 0, &news, WEXITED | WNOWAIT) == 0);
    printf("code %d, status %d\n", news.si_code, news.si_status);
    await("end", pid, 0);
}

static const struct {
    const char *name;
    void (*go)(void);
} ways[] = {
    {"by_thread", by_thread},       {"by_vfork", by_vfork},
    {"by_clone", by_clone},         {"of_orphans", of_orphans},
    {"stopped", stopped},           {"with_ignored_ends", with_ignored_ends},
    {"left_stopped", left_stopped}, {"killed", killed},
    {"with_values", with_values},   {"with_job_control", with_job_control},
};

int main(int count_, char **arguments) {
    (void) count_;
    setvbuf(stdout, NULL, _IONBF, 0);
    program[0] = arguments[2];
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(ways[i].name, arguments[1]) == 0)
            ways[i].go();
    }
    return 0;
}
