/*
 * Run by `unshare -p` without -f: its first child is the first process of the new pid namespace,
 * watched or not.
 */
#include "host.h"

int main(void) {
    int status;
    pid_t child = fork();

    must(child >= 0, "fork");
    if (child == 0)
        _exit(getpid() == 1 ? 3 : 4);
    must(waitpid(child, &status, 0) == child, "wait");
    printf("%s\n", WEXITSTATUS(status) == 3 ? "pid 1" : "another pid");
    return 0;
}
