/*
 * posix_spawn and posix_spawnp from the main thread and from another one, all at home; one of them
 * fails. Must be reported: nothing.
 */
#include "host.h"
#include <spawn.h>

static void *spawn(void *unused) {
    char *arguments[] = {"sh", "-c", "exit 5", NULL};
    pid_t child;
    int status;
    must(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0, "posix_spawn");
    must(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5, "waitpid");
    must(posix_spawnp(&child, "sh", NULL, NULL, arguments, environ) == 0, "posix_spawnp");
    must(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5, "waitpid");
    must(posix_spawn(&child, "/nowhere/sh", NULL, NULL, arguments, environ) == ENOENT, "ENOENT");
    return unused;
}

int main(void) {
    spawn(NULL);
    join(start(spawn, NULL));
    if (system("exit 5") != 5 << 8)
        return 71;
    puts("done");
    return 0;
}
