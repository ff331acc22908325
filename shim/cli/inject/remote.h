/*
 * A child that is stopped right after its exec: makes system calls in it, writes its memory, runs
 * code in it to a breakpoint, and puts everything back as the kernel had left it. Called by
 * inject.c; knows nothing of the library that is put in.
 */
#ifndef NSD_CLI_INJECT_REMOTE_H
#define NSD_CLI_INJECT_REMOTE_H

#include "inject_machine.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nsd_remote {
    pid_t pid;
    int status; /* as waitpid gave it last */
    bool gone;  /* the child has ended, and `status` says how */
    nsd_registers registers;
    unsigned char extended[NSD_EXTENDED_MOST];
    size_t extended_size;
    int extended_kind;
    uint64_t signal_mask;
    uint64_t system_call; /* where such an instruction stands in it */
    bool was_stopped;     /* a SIGSTOP came meanwhile */
    bool was_ours;        /* the SIGKILL that ended it */
    bool stays;           /* after it is let go we still trace its forks and execs */
};

/*
 * Begins to trace the child, before its exec. The kernel kills the child if we die before it is let
 * go. `stays`: its descendants are traced too and stop at fork, clone and exec; the kernel kills
 * them with us only while they are worked on, because a child inherits its parent's options.
 * Returns 0 or an errno.
 */
int remote__seize(struct nsd_remote *remote, pid_t pid, bool stays);
/* A child that is traced because its parent is, and has just stopped at its exec. */
void remote__adopt(struct nsd_remote *remote, pid_t pid);
/* Waits until the child stands at its first instruction. False if it ended before. */
bool remote__wait_for_exec(struct nsd_remote *remote);
/* Keeps registers and signal mask; blocks all signals. */
bool remote__begin(struct nsd_remote *remote);
/* The kernel's answer: a negative errno, -ENOSYS also where the child is gone. */
int64_t remote__call(struct nsd_remote *remote, long number, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d, uint64_t e, uint64_t f);
bool remote__is_error(int64_t answer);
bool remote__read(struct nsd_remote *remote, uint64_t from, void *to, size_t size);
bool remote__write(struct nsd_remote *remote, uint64_t to, const void *from, size_t size);
/*
 * Runs from `entry` to the next breakpoint on the stack [low, high). The thread pointer is set to
 * `low`: the lowest page is zero and stands in for the thread block. False if the child stopped by
 * anything else, which is *signal.
 */
bool remote__run(struct nsd_remote *remote, uint64_t entry, uint64_t low, uint64_t high,
                 uint64_t argument, uint64_t *result, int *signal);
/* Puts everything back and lets the child run. False if it has ended. */
bool remote__let_go(struct nsd_remote *remote);
/* Kills the child, which has not run an instruction of its own. */
void remote__kill(struct nsd_remote *remote);
/* The child has ended by a SIGKILL that was not ours. */
bool remote__was_killed(const struct nsd_remote *remote);

#endif
