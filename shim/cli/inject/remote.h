/*
 * A child that stands still right after its exec: system calls made in its name, memory written,
 * code run in it to a breakpoint, and everything put back as the kernel had left it. Called by
 * inject.c; knows nothing of what is put in.
 */
#ifndef NSD_CLI_INJECT_REMOTE_H
#define NSD_CLI_INJECT_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

/* The state components of x87, SSE, AVX, AVX-512 and AMX, with room for more. */
#define NSD_REMOTE_EXTENDED_MOST 16384

struct nsd_remote {
    pid_t pid;
    int status; /* as waitpid gave it, when the child came to its end */
    bool gone;  /* it did */
    struct user_regs_struct registers;
    unsigned char extended[NSD_REMOTE_EXTENDED_MOST];
    size_t extended_size;
    int extended_kind;
    uint64_t signal_mask;
    uint64_t system_call; /* where such an instruction stands in it */
    bool was_stopped;     /* a SIGSTOP came meanwhile */
    bool was_ours;        /* the SIGKILL that ended it */
    bool stays;           /* let go, it stays ours to be told of its forks and execs */
};

/*
 * Before the exec. The child dies with us until it is let go. `stays`: its children come to us too,
 * and each stops where it forks, clones and execs; none dies with us but while it is being worked
 * on, since children have the options of their parents. An errno, 0 if it is ours.
 */
int remote__seize(struct nsd_remote *remote, pid_t pid, bool stays);
/* One that came to us by its parent, and has just stopped at its exec. */
void remote__adopt(struct nsd_remote *remote, pid_t pid);
/* Waits for the exec: the child stands at the first instruction. False: it came to its end before.
 */
bool remote__wait_for_exec(struct nsd_remote *remote);
/* Keeps registers and signal mask; all signals wait from now on. */
bool remote__begin(struct nsd_remote *remote);
/* The kernel's answer: a negative errno, -ENOSYS also where the child is gone. */
int64_t remote__call(struct nsd_remote *remote, long number, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d, uint64_t e, uint64_t f);
/* Of the vector that the kernel gave a program at its exec; 0 if it is not there. */
uint64_t remote__auxiliary(pid_t pid, uint64_t type);
bool remote__is_error(int64_t answer);
bool remote__read(struct nsd_remote *remote, uint64_t from, void *to, size_t size);
bool remote__write(struct nsd_remote *remote, uint64_t to, const void *from, size_t size);
/*
 * Runs from `entry` to the next breakpoint, on the stack [low, high), of which the lowest page, all
 * zero, stands for what the thread pointer points to: code that was built with a stack protector
 * (LLVM's libunwind) reads it. False if it got anywhere else; *signal says by what.
 */
bool remote__run(struct nsd_remote *remote, uint64_t entry, uint64_t low, uint64_t high,
                 uint64_t argument, uint64_t *result, int *signal);
/* Puts everything back and lets the child go. False: it is gone. */
bool remote__let_go(struct nsd_remote *remote);
/* It has not run a single instruction, and never will. */
void remote__kill(struct nsd_remote *remote);
/* It has come to its end by somebody else's SIGKILL. */
bool remote__was_killed(const struct nsd_remote *remote);

#endif
