/*
 * A program with one thread moves; its vfork children exec with an environment that holds nothing
 * of nsdrift's: first a file that is not there, then a shell. What nsdrift adds to the environment
 * stands in the memory that the parent shares, and must not pile up there; the shell must be watched
 * as the parent is. Must be reported: nothing.
 */
#include "host.h"
#include "../../../include/nsdrift.h"

#define ROUNDS 100

static int mappings(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    int lines = 0, c;

    must(maps != NULL, "/proc/self/maps");
    while ((c = getc(maps)) != EOF)
        lines += c == '\n';
    fclose(maps);
    return lines;
}

int main(void) {
    static char *const bare[] = {"PATH=/usr/bin:/bin", NULL};
    int before = 0;

    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    for (int i = 0; i < ROUNDS; i++) {
        char *arguments[] = {"sh", "-c", "test \"$NSDRIFT\" = \"$0\"",
                             nsdrift_version()[0] != '\0' ? "1" : "", NULL};
        int status;
        pid_t child = vfork();
        if (child == 0) {
            execve("/nowhere/at-all", arguments, bare);
            execve("/bin/sh", arguments, bare);
            _exit(7);
        }
        must(child > 0, "vfork");
        must(waitpid(child, &status, 0) == child, "waitpid");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            return 71;
        if (i == 0)
            before = mappings();
    }
    if (mappings() > before + ROUNDS / 10)
        return 72;
    puts("done");
    return 0;
}
