/*
 * A program with one thread moves; its vfork children exec with an environment that holds nothing
 * of nsdrift's: first a file that is not there, then a shell. What nsdrift adds to the environment
 * stands in the memory that the parent shares, and must not pile up there; the shell must be
 * watched as the parent is. Must be reported: nothing.
 */
#include "host.h"

#include "../../../include/nsdrift.h"

#define ROUNDS 100

/* In pages: neighbouring mappings are one to the kernel, so their number says nothing. */
static long mapped_pages(void) {
    FILE *statm = fopen("/proc/self/statm", "r");
    long pages;

    must(statm != NULL && fscanf(statm, "%ld", &pages) == 1, "/proc/self/statm");
    fclose(statm);
    return pages;
}

int main(void) {
    static char *const bare[] = {"PATH=/usr/bin:/bin", NULL};
    long before = 0;

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
            before = mapped_pages();
    }
    if (mapped_pages() > before + ROUNDS / 10)
        return 72;
    puts("done");
    return 0;
}
