/*
 * Starts the program and waits for it as time(1) and nice(1) do: the terminal's signals are the
 * program's alone, and a request to end is passed on. Called by the subcommands that start
 * something.
 */
#ifndef NSD_CLI_CHILD_H
#define NSD_CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct nsd_injector;

struct nsd_child {
    pid_t pid;
    int error;  /* errno of a start that failed, 0 if the program was started */
    int status; /* as waitpid gives it */
};

/*
 * Starts `path` with the arguments and the environment, waits for its end. False: not started, with
 * an error, or, where the injector could not do its work, with its `why`. No injector: NULL.
 */
bool child__run(struct nsd_child *child, const char *path, char **arguments, char **environment,
                struct nsd_injector *injector);
/* The status that a shell would give: its own, 128+N for a signal. */
int child__exit_status(const struct nsd_child *child);

#endif
