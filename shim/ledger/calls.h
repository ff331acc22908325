/*
 * The calls and other occasions that make an event, one row each: the name in reports, how the
 * arguments are printed, what the ledger does with it, which kinds of namespace it depends on.
 * Probes put the row's number into the event; ledger, rules and reports look it up. Constant data.
 */
#ifndef NSD_LEDGER_CALLS_H
#define NSD_LEDGER_CALLS_H

#include "ledger/kinds.h"
#include <stdint.h>

/* How the arguments of a call are shown in a report. */
enum nsd_shape {
    NSD_SHAPE_NONE,       /* () */
    NSD_SHAPE_SETNS,      /* (fd, CLONE_NEW*) */
    NSD_SHAPE_UNSHARE,    /* (CLONE_*|...) */
    NSD_SHAPE_CLONE,      /* (CLONE_*|...): flags are arguments[0], their low byte a signal */
    NSD_SHAPE_CLONE3,     /* (CLONE_*|...): the signal has a field of its own */
    NSD_SHAPE_MOUNT,      /* (MS_*|...): flags are arguments[3]; strings are never recorded */
    NSD_SHAPE_UMOUNT,     /* (MNT_*|...): flags are arguments[1] */
    NSD_SHAPE_SOCKET,     /* (AF_*, ...) */
    NSD_SHAPE_STATUS,     /* (status) */
    NSD_SHAPE_SIGNAL,     /* (signal) */
    NSD_SHAPE_DESCRIPTOR, /* (fd) */
};

/* What the ledger does with an event. */
enum nsd_effect {
    NSD_EFFECT_NONE,
    NSD_EFFECT_SWITCH,     /* setns, unshare: changes the caller's namespaces on success */
    NSD_EFFECT_THREAD,     /* creation, birth, death of a thread */
    NSD_EFFECT_LOCK,       /* pin, unpin */
    NSD_EFFECT_DESCRIPTOR, /* open of a /proc path, dup, close */
    NSD_EFFECT_PROCESS,    /* fork, spawn, exec */
    NSD_EFFECT_END,        /* the image ends, or a report is asked for: nothing is done */
    NSD_EFFECT_KNOWLEDGE,  /* identities of a thread's namespaces, read from /proc */
};

#define M NSD_KIND_BIT(NSD_KIND_MNT)
#define N NSD_KIND_BIT(NSD_KIND_NET)
#define I NSD_KIND_BIT(NSD_KIND_IPC)
#define U NSD_KIND_BIT(NSD_KIND_UTS)
#define A NSD_ALL_KINDS

/*
 * X(name, text, shape, effect, kinds that the call depends on). Where these depend on the arguments
 * (setns, unshare: the kinds named; open: the kind of the path) the row has 0, and shim/calls fills
 * event.kinds. A socket of AF_UNIX, which depends on nothing, is no event.
 */
#define NSD_CALL_TABLE(X)                                                                          \
    X(NONE, "none", NONE, NONE, 0)                                                                 \
    /* namespaces */                                                                               \
    X(SETNS, "setns", SETNS, SWITCH, 0)                                                            \
    X(UNSHARE, "unshare", UNSHARE, SWITCH, 0)                                                      \
    /* mounts */                                                                                   \
    X(MOUNT, "mount", MOUNT, NONE, M)                                                              \
    X(UMOUNT, "umount", UMOUNT, NONE, M)                                                           \
    X(UMOUNT2, "umount2", UMOUNT, NONE, M)                                                         \
    X(PIVOT_ROOT, "pivot_root", NONE, NONE, M)                                                     \
    X(CHROOT, "chroot", NONE, NONE, M)                                                             \
    X(MOVE_MOUNT, "move_mount", NONE, NONE, M)                                                     \
    X(OPEN_TREE, "open_tree", NONE, NONE, M)                                                       \
    X(FSMOUNT, "fsmount", NONE, NONE, M)                                                           \
    X(MOUNT_SETATTR, "mount_setattr", NONE, NONE, M)                                               \
    /* network */                                                                                  \
    X(SOCKET, "socket", SOCKET, NONE, N)                                                           \
    /* uts and ipc */                                                                              \
    X(SETHOSTNAME, "sethostname", NONE, NONE, U)                                                   \
    X(SETDOMAINNAME, "setdomainname", NONE, NONE, U)                                               \
    X(SHMGET, "shmget", NONE, NONE, I)                                                             \
    X(SEMGET, "semget", NONE, NONE, I)                                                             \
    X(MSGGET, "msgget", NONE, NONE, I)                                                             \
    X(MQ_OPEN, "mq_open", NONE, NONE, I)                                                           \
    /* starting a process: depends on all kinds */                                                 \
    X(FORK, "fork", NONE, PROCESS, A)                                                              \
    X(VFORK, "vfork", NONE, PROCESS, A)                                                            \
    X(CLONE, "clone", CLONE, PROCESS, A)                                                           \
    X(CLONE3, "clone3", CLONE3, PROCESS, A)                                                        \
    X(POSIX_SPAWN, "posix_spawn", NONE, PROCESS, A)                                                \
    X(SYSTEM, "system", NONE, PROCESS, A)                                                          \
    X(POPEN, "popen", NONE, PROCESS, A)                                                            \
    X(EXEC, "execve", NONE, PROCESS, A)                                                            \
    X(EXEC_FAILED, "execve", NONE, PROCESS, 0)                                                     \
    /* the end of the image */                                                                     \
    X(EXIT, "exit", STATUS, END, 0)                                                                \
    X(QUICK_EXIT, "quick_exit", STATUS, END, 0)                                                    \
    X(EXIT_GROUP, "exit_group", STATUS, END, 0)                                                    \
    X(RAISE, "raise", SIGNAL, END, 0)                                                              \
    X(REPORT, "report", SIGNAL, END, 0)                                                            \
    /* threads */                                                                                  \
    X(THREAD_CREATE, "pthread_create", NONE, THREAD, 0)                                            \
    X(THREAD_NOT_CREATED, "pthread_create", NONE, THREAD, 0)                                       \
    X(THREAD_BORN, "thread start", NONE, THREAD, 0)                                                \
    X(THREAD_FOUND, "thread found", NONE, THREAD, 0)                                               \
    X(THREAD_EXIT, "pthread_exit", NONE, THREAD, 0)                                                \
    X(THREAD_DIED, "thread end", NONE, THREAD, 0)                                                  \
    X(PIN, "nsdrift_thread_pin", NONE, LOCK, 0)                                                    \
    X(UNPIN, "nsdrift_thread_unpin", NONE, LOCK, 0)                                                \
    X(LOCK_STATE, "goroutine state", NONE, LOCK, 0)                                                \
    X(ALL_THREADS, "syscall.AllThreadsSyscall", NONE, LOCK, 0)                                     \
    /* descriptors that lead to namespaces */                                                      \
    X(OPEN, "open", NONE, DESCRIPTOR, 0)                                                           \
    X(DUP, "dup", DESCRIPTOR, DESCRIPTOR, 0)                                                       \
    X(CLOSE, "close", DESCRIPTOR, DESCRIPTOR, 0)                                                   \
    /* knowledge: identities of the namespaces that thread other_tid is in */                      \
    X(IDENTITY, "identity", NONE, KNOWLEDGE, 0)

enum nsd_call {
#define X(name, text, shape, effect, kinds) NSD_CALL_##name,
    NSD_CALL_TABLE(X)
#undef X
        NSD_CALLS
};

struct nsd_call_row {
    const char *text;
    uint8_t shape;  /* enum nsd_shape */
    uint8_t effect; /* enum nsd_effect */
    nsd_kinds kinds;
};
extern const struct nsd_call_row nsd_call_table[NSD_CALLS];

#undef M
#undef N
#undef I
#undef U
#undef A
#endif
