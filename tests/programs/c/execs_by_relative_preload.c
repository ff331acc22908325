/*
 * The program execs a shell with nsdrift preloaded by a path that is relative; the shell goes to
 * another folder and execs another shell, with an environment that switches nsdrift off and
 * preloads something else. The second must be watched: nsdrift stands in front, by its absolute
 * path. Must be reported: nothing.
 */
#include "host.h"

#define OF_ITS_OWN "libm.so.6"

static const char first_shell[] =
    "cd / && unset NSDRIFT && export LD_PRELOAD=" OF_ITS_OWN " && exec bash -c \"$1\" \"$0\"";
static const char second_shell[] = "test \"$LD_PRELOAD\" = \"$0\" && echo done";

int main(void) {
    const char *preload = getenv("LD_PRELOAD");
    char library[256] = "", expected[512] = OF_ITS_OWN;

    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    if (preload != NULL) { /* only nsdrift is there */
        snprintf(library, sizeof library, "%s", preload);
        char *slash = strrchr(library, '/');
        must(library[0] == '/' && slash != library, "LD_PRELOAD");
        *slash = '\0';
        must(chdir(library) == 0, library);
        snprintf(expected, sizeof expected, "%s/./%s:" OF_ITS_OWN, library, slash + 1);
        char relative[256];
        snprintf(relative, sizeof relative, "./%s", slash + 1);
        must(setenv("LD_PRELOAD", relative, 1) == 0, "setenv");
    }
    execl("/bin/sh", "sh", "-c", first_shell, expected, second_shell, (char *) NULL);
    return 71;
}
