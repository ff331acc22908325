/*
 * Starts the program and waits for it as time(1) and nice(1) do: the terminal's signals are the
 * program's alone, and a request to end is passed on. Called by the subcommands that start
 * something.
 */
#ifndef NSD_CLI_WATCH_CHILD_H
#define NSD_CLI_WATCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Who takes hold of the program before it begins: a tracer. */
struct nsd_holder {
    void *context;
    /* The child waits to be told to exec. False: it is not to be started. */
    bool (*take)(void *context, pid_t pid);
    /*
     * It is about to exec. False: it has come to its end over it, *status says how; by whose doing,
     * the holder knows. May be NULL.
     */
    bool (*at_exec)(void *context, int *status);
    /* It has ended. May be NULL. */
    void (*over)(void *context);
};

struct nsd_child {
    pid_t pid;
    int error;  /* errno of a start that failed, 0 if the program was started */
    int status; /* as waitpid gives it */
};

/*
 * Starts `path` with the arguments and the environment, waits for its end. False: not started, with
 * an error, or, where the holder did not take it, without. No holder: NULL.
 */
bool child__run(struct nsd_child *child, const char *path, char **arguments, char **environment,
                const struct nsd_holder *holder);
/* The status that a shell would give: its own, 128+N for a signal. */
int child__exit_status(const struct nsd_child *child);

#endif
