/*
 * The watch room: everything that is needed to start a program under watch. A program and options
 * come in; its end comes out. program.c finds the program and tells whether it can be watched,
 * preload.c makes its environment, given.c joins the options, child.c starts it and waits,
 * signals.c keeps the command alive.
 * Called by the subcommands that start programs and by the inject room. Reads files and starts one
 * child; prints nothing but lines about what cannot be done; knows nothing of recordings. This
 * file: starts the program and waits for it as time(1) and nice(1) do. The terminal's signals are
 * left to the program, and a request to end is passed on to it.
 */
#ifndef NSD_CLI_WATCH_CHILD_H
#define NSD_CLI_WATCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* A tracer, which takes hold of the program before it begins. */
struct nsd_holder {
    void *context;
    /* The child waits for permission to exec. False: the program is not to be started. */
    bool (*take)(void *context, pid_t pid);
    /*
     * The child is about to exec. False: it has ended meanwhile, with *status; why, the holder
     * knows. May be NULL.
     */
    bool (*at_exec)(void *context, int *status);
    /* The program has ended. May be NULL. */
    void (*over)(void *context);
};

struct nsd_child {
    pid_t pid;
    int error;  /* errno of a start that failed, 0 if the program was started */
    int status; /* as waitpid gives it */
};

/*
 * Starts `path` with the arguments and the environment and waits for its end. `holder`: NULL for
 * none. False if it was not started: with `error` set, or without if the holder refused.
 */
bool child__run(struct nsd_child *child, const char *path, char **arguments, char **environment,
                const struct nsd_holder *holder);

#endif
