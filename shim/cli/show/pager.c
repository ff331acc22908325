/*
 * Starts the pager, see pager.h: the one that PAGER names, else less if it is installed, which ends
 * at once if everything fits on the screen.
 */
#include "cli/show/pager.h"
#include "cli/show/wrap.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define USUAL_WIDTH 80u

unsigned pager__width(FILE *out) {
    struct winsize size;

    if (isatty(fileno(out)) != 1)
        return 0;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return USUAL_WIDTH;
}

static bool is_dumb(void) {
    const char *terminal = getenv("TERM");

    return terminal == NULL || terminal[0] == '\0' || strcmp(terminal, "dumb") == 0;
}

static bool wants_colour(void) {
    const char *no_color = getenv("NO_COLOR");

    return (no_color == NULL || no_color[0] == '\0') && !is_dumb();
}

/* NULL if no pager is wanted, or none is there. */
static const char *name_of_pager(void) {
    const char *name = getenv("PAGER");

    if (name == NULL)
        name = "if command -v less > /dev/null; then exec less; else exec cat; fi";
    return name[0] == '\0' || strcmp(name, "cat") == 0 || is_dumb() ? NULL : name;
}

/*
 * Started by the shell, since PAGER may have arguments. LESS, unless the user has set it: colours
 * pass (R), output that fits on the screen is just printed (F) and stays there (X).
 */
static FILE *start(struct nsd_pager *pager, const char *name) {
    char *const arguments[] = {"sh", "-c", (char *) name, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], error;
    FILE *out;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    setenv("LESS", "FRX", 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    error = posix_spawn(&pager->pid, "/bin/sh", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    out = error == 0 ? fdopen(ends[1], "w") : NULL;
    if (out == NULL)
        close(ends[1]);
    if (error != 0)
        pager->pid = 0;
    return out;
}

void pager__begin(struct nsd_pager *pager, bool paged, bool wrapped) {
    const char *name;

    memset(pager, 0, sizeof *pager);
    pager->out = stdout;
    pager->width = USUAL_WIDTH;
    pager->terminal = pager__width(stdout) > 0;
    if (!pager->terminal)
        return;
    pager->colour = wants_colour();
    pager->width = pager__width(stdout);
    name = paged ? name_of_pager() : NULL;
    if (name != NULL) {
        FILE *out = start(pager, name);

        /* The reader may close the pipe early: the command still ends with its own status. */
        if (out != NULL) {
            signal(SIGPIPE, SIG_IGN);
            signal(SIGINT, SIG_IGN);
            pager->out = out;
        }
    }
    if (wrapped) {
        FILE *out = wrap__open(pager->out, pager->width);

        if (out != NULL) {
            pager->below = pager->out;
            pager->out = out;
        }
    }
}

static bool finish(FILE *out) {
    return fflush(out) == 0 && !ferror(out);
}

bool pager__end(struct nsd_pager *pager) {
    bool good = finish(pager->out);

    if (pager->below != NULL) {
        fclose(pager->out);
        pager->out = pager->below;
        good = finish(pager->out) && good;
    }
    if (pager->pid == 0)
        return good;
    fclose(pager->out);
    while (waitpid(pager->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return true;
}
