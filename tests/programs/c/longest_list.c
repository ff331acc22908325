/*
 * Finds the longest list of arguments that the kernel takes, by syscall() or by posix_spawn, with
 * an environment of its own; prints its size. Must be reported: nothing.
 */
#include "host.h"
#include <spawn.h>
#include <sys/resource.h>

#define PIECES 200

static int by_spawn;
static char *environment[] = {"A=b", NULL};

static int fits(size_t size) {
    static char piece[1024], *arguments[PIECES + 3];
    static char last[1024];
    size_t count = 0;
    pid_t child;
    int status;

    memset(piece, 'x', sizeof piece - 1);
    memset(last, 0, sizeof last);
    memset(last, 'y', size % sizeof piece);
    arguments[count++] = "true";
    while (count <= size / sizeof piece)
        arguments[count++] = piece;
    arguments[count++] = last;
    arguments[count] = NULL;
    if (by_spawn) {
        if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment) != 0)
            return 0;
    } else {
        child = fork();
        if (child == 0) {
            syscall(SYS_execve, "/bin/true", arguments, environment);
            _exit(7);
        }
    }
    must(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv) {
    size_t low = 1024, high = PIECES * 1024;

    by_spawn = argc > 1 && strcmp(argv[1], "spawn") == 0;
    must(setrlimit(RLIMIT_STACK, &(struct rlimit){512 * 1024, RLIM_INFINITY}) == 0, "setrlimit");
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (fits(middle))
            low = middle;
        else
            high = middle;
    }
    printf("%zu\n", low);
    return 0;
}
