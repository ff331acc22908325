/*
 * Execs with lists that run into memory which is not there: entries that begin as the variables do
 * that nsdrift looks for, a list without an end, a pointer to nowhere. The kernel answers EFAULT to
 * each. The program executes itself, since a guest has no other. Must be reported: nothing.
 */
#include "host.h"
#include <sys/mman.h>

#define PAGE 4096

/* The last bytes before a page that is not there. */
static char *before_hole(const void *bytes, size_t size) {
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(page != MAP_FAILED && munmap(page + PAGE, PAGE) == 0, "mmap");
    return memcpy(page + PAGE - size, bytes, size);
}

static void try(const char *what, char *const environment[]) {
    char *arguments[] = {"unreadable_environment", "done", NULL};
    execve("/proc/self/exe", arguments, environment);
    printf("%s: %s\n", what, strerror(errno));
}

int main(int argc, char **argv) {
    if (argc > 1) {
        puts(argv[1]);
        return 0;
    }
    static const char *const beginnings[] = {
        "N",
        "NSDRIFT",
        "NSDRIFT=",
        "NSDRIFT_OPTIONS",
        "NSDRIFT_OPTIONS=depth",
        "LD",
        "LD_PRE",
        "LD_PRELOAD=/lib/x.so",
        "ASAN_OPTIONS=",
        "LANG=C",
    };
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        char *entry = before_hole(beginnings[i], strlen(beginnings[i]));
        try(beginnings[i], (char *[]){"A=b", entry, NULL});
    }
    char *entries[3] = {"A=b", "C=d", "E=f"};
    try("a list without an end", (char **) before_hole(entries, sizeof entries));
    try("a list at an odd place", (char **) before_hole(entries, sizeof entries - 3));
    try("a pointer to nowhere", (char *[]){(char *) PAGE, NULL});
    /* More than a page of variables, with one of nsdrift's in the middle, is fine. */
    static char *many[1000];
    for (int i = 0; i < 999; i++)
        many[i] = i == 500 ? before_hole("NSDRIFT=1", sizeof "NSDRIFT=1") : "A=b";
    fflush(stdout);
    if (fork() == 0) {
        execve("/proc/self/exe", (char *[]){"unreadable_environment", "done", NULL}, many);
        _exit(71);
    }
    int status = -1;
    wait(&status);
    return status != 0;
}
