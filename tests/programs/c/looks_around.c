/*
 * Prints all that a program can see of itself: descriptors, threads, environment of its children,
 * signal dispositions and mask, its mappings; before and after it has made threads, visits and
 * children. Compared with its native output, by the tests that hold the laws.
 */
#include "host.h"
#include <dirent.h>
#include <signal.h>

static int other;
static sem_t inside, leave;

static KEEP void visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    must(setns(home, CLONE_NEWNET) == 0, "setns home");
    close(home);
    STAY();
}

static void *worker(void *unused) {
    visit();
    post(&inside);
    wait_for(&leave);
    return unused;
}

static void descriptors(void) {
    for (int fd = 0; fd < 1024; fd++) {
        struct stat stat;
        if (fstat(fd, &stat) == 0)
            printf("descriptor %d flags %x\n", fd, (unsigned) fcntl(fd, F_GETFD));
    }
    int next = open("/dev/null", O_RDONLY);
    printf("next descriptor %d\n", next);
    close(next);
}

static void threads(void) {
    struct stat tasks;
    must(stat("/proc/self/task", &tasks) == 0, "stat");
    printf("threads %d\n", (int) tasks.st_nlink - 2);
}

static void signals(void) {
    for (int number = 1; number < 65; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0)
            printf("signal %d %s flags %x\n", number,
                   action.sa_handler == SIG_DFL   ? "default"
                   : action.sa_handler == SIG_IGN ? "ignored"
                                                  : "handled",
                   (unsigned) action.sa_flags);
    }
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (int number = 1; number < 65; number++)
        if (sigismember(&mask, number) == 1)
            printf("blocked %d\n", number);
    stack_t stack;
    sigaltstack(NULL, &stack);
    printf("alternate stack %x\n", (unsigned) stack.ss_flags);
}

/* /proc/self/status as the kernel tells it, past any wrapper. */
static void kernel_signals(void) {
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    must(file != NULL, "status");
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, "Sig", 3) || !strncmp(line, "Shd", 3) || !strncmp(line, "Seccomp:", 8) ||
            !strncmp(line, "NoNewPrivs", 10) || !strncmp(line, "Threads", 7))
            fputs(line, stdout);
    fclose(file);
}

static void mappings(void) {
    char line[512];
    FILE *file = fopen("/proc/self/maps", "r");
    must(file != NULL, "maps");
    while (fgets(line, sizeof line, file)) {
        unsigned long start, end, offset;
        char rights[8];
        int at = 0;
        must(sscanf(line, "%lx-%lx %7s %lx %*s %*s %n", &start, &end, rights, &offset, &at) >= 4,
             "maps line");
        printf("map %lx %s %lx %s", end - start, rights, offset, at ? line + at : "\n");
        if (!at || !strchr(line + at, '\n'))
            puts("");
    }
    fclose(file);
}

int main(int argc, char **argv) {
    (void) argc;
    (void) argv;
    descriptors();
    threads();
    signals();
    kernel_signals();
    other = other_network();
    sem_init(&inside, 0, 0);
    sem_init(&leave, 0, 0);
    pthread_t one = start(worker, NULL), two = start(worker, NULL);
    wait_for(&inside);
    wait_for(&inside);
    visit();
    threads();
    post(&leave);
    post(&leave);
    join(one);
    join(two);
    must(signal(SIGUSR2, SIG_IGN) != SIG_ERR, "signal");
    fflush(stdout);
    must(system("env | sort") == 0, "system");
    descriptors();
    signals();
    kernel_signals();
    mappings();
    return 7;
}
