/*
 * The variadic syscall(): real programs reach pivot_root, clone, clone3, the new mount calls and
 * exits through it, so it is decoded like the functions of those names. The machine's assembly
 * asks the table below by number and jumps here only for a row of it; all else goes on untouched.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/libc/actions.h"
#include "probes/libc/descriptors.h"
#include "probes/libc/exec.h"
#include "probes/libc/exits.h"
#include "probes/libc/filters.h"
#include "probes/libc/namespaces.h"
#include "host/libc/next.h"
#include "calls/observe.h"
#include "probes/libc/processes.h"
#include "host/libc/prototypes.h"
#include "calls/seccomp.h"

#include <asm/errno.h>
#include <linux/sched.h>

struct request {
    const struct nsd_site *site;
    enum nsd_call call;
    long number;
    long argument[6];
};

static long make(const struct request *request) {
    const long *a = request->argument;

    return NEXT(syscall)(request->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Recorded with its arguments as they are. */
static long plain(const struct request *request) {
    struct nsd_event event;

    if (!observe__begin(&event, request->call, request->site))
        return make(request);
    for (unsigned i = 0; i < 5; i++)
        event.arguments[i] = (uint64_t) request->argument[i];
    return observe__end(&event, make(request));
}

static long do_setns(const struct request *request) {
    struct nsd_event event;
    bool by_pidfd;

    if (!observe__begin(&event, request->call, request->site))
        return make(request);
    by_pidfd =
        namespaces__setns_begin(&event, (int) request->argument[0], (int) request->argument[1]);
    return namespaces__setns_end(&event, by_pidfd, make(request));
}

static long do_unshare(const struct request *request) {
    struct nsd_event event;

    if (!observe__begin(&event, request->call, request->site))
        return make(request);
    namespaces__unshare_begin(&event, (int) request->argument[0]);
    return observe__end(&event, make(request));
}

static long do_socket(const struct request *request) {
    struct nsd_event event;

    if (!descriptors__socket_begin(&event, request->site, (int) request->argument[0],
                                   (int) request->argument[1], (int) request->argument[2]))
        return make(request);
    return observe__end(&event, make(request));
}

/* A copy of this process: what shares its memory was let through by the assembly. */
static long do_copy(const struct request *request) {
    struct nsd_event event;
    bool ours = observe__begin(&event, request->call, request->site);
    uint64_t flags = (uint64_t) request->argument[0];

    if (request->number == __NR_clone3)
        memory__try_copy(&flags, (const void *) request->argument[0], sizeof(flags));
    if (request->number != __NR_fork)
        event.arguments[0] = flags;
    return processes__copied(&event, ours, make(request));
}

static long do_exec(const struct request *request) {
    struct request changed = *request;
    unsigned place = request->number == __NR_execveat ? 3 : 2;
    struct nsd_exec exec;

    exec__begin(&exec, request->site, place == 3 ? (int) request->argument[0] : AT_FDCWD,
                (const char *) request->argument[place - 2],
                (char *const *) request->argument[place]);
    changed.argument[place] = (long) exec.environment.list;
    return exec__failed(&exec, make(&changed));
}

static long do_exit(const struct request *request) {
    struct request changed = *request;
    int status = (int) request->argument[0];

    changed.argument[0] = request->number == __NR_exit_group
                              ? exits__at_once(NSD_CALL_EXIT_GROUP, request->site, status)
                              : exits__thread(request->site, status);
    return make(&changed);
}

static long do_open(const struct request *request) {
    long fd = make(request);
    const long *path = &request->argument[request->number == __NR_openat ? 1 : 0];

    return descriptors__opened(request->site, (const char *) *path, (int) fd);
}

static long do_dup(const struct request *request) {
    return descriptors__copied((int) request->argument[0], (int) make(request));
}

static long do_fcntl(const struct request *request) {
    long result = make(request);

    return descriptors__is_copy((int) request->argument[1])
               ? descriptors__copied((int) request->argument[0], (int) result)
               : result;
}

static long do_close(const struct request *request) {
    unsigned first = (unsigned) request->argument[0];

    if ((int) first >= 0)
        descriptors__closing(first, first);
    return make(request);
}

static long do_close_range(const struct request *request) {
    unsigned first = (unsigned) request->argument[0], last = (unsigned) request->argument[1];

    if (first <= last && (request->argument[2] & 4) == 0)
        descriptors__closing(first, last);
    return make(request);
}

static long do_sigaction(const struct request *request) {
    long result;

    if (!actions__is_ours((int) request->argument[0]))
        return make(request);
    result = actions__raw((const void *) request->argument[1], (void *) request->argument[2],
                          (size_t) request->argument[3]);
    if (result == 0)
        return 0;
    host__set_errno((int) -result);
    return -1;
}

static long do_filter(const struct request *request) {
    const struct nsd_filter_call call =
        request->number == __NR_seccomp
            ? seccomp__of_seccomp((uint64_t) request->argument[0], (uint64_t) request->argument[2])
            : seccomp__of_prctl((uint64_t) request->argument[0], (uint64_t) request->argument[1],
                                (uint64_t) request->argument[2]);
    bool ours = (call.sets || call.denies_ticks) && filters__before(&call);
    long result = make(request);

    if (ours && call.sets && result >= 0)
        seccomp__stands(&call);
    return result;
}

typedef long handler(const struct request *request);

/* X(number, event, handler) */
#define NUMBERS(X)                                                                                 \
    X(setns, SETNS, do_setns)                                                                      \
    X(unshare, UNSHARE, do_unshare)                                                                \
    X(mount, MOUNT, plain)                                                                         \
    X(umount2, UMOUNT2, plain)                                                                     \
    X(pivot_root, PIVOT_ROOT, plain)                                                               \
    X(chroot, CHROOT, plain)                                                                       \
    X(open_tree, OPEN_TREE, plain)                                                                 \
    X(move_mount, MOVE_MOUNT, plain)                                                               \
    X(fsmount, FSMOUNT, plain)                                                                     \
    X(mount_setattr, MOUNT_SETATTR, plain)                                                         \
    X(socket, SOCKET, do_socket)                                                                   \
    X(fork, FORK, do_copy)                                                                         \
    X(clone, CLONE, do_copy)                                                                       \
    X(clone3, CLONE3, do_copy)                                                                     \
    X(execve, EXEC, do_exec)                                                                       \
    X(execveat, EXEC, do_exec)                                                                     \
    X(exit, THREAD_EXIT, do_exit)                                                                  \
    X(exit_group, EXIT_GROUP, do_exit)                                                             \
    X(open, OPEN, do_open)                                                                         \
    X(openat, OPEN, do_open)                                                                       \
    X(dup, DUP, do_dup)                                                                            \
    X(dup2, DUP, do_dup)                                                                           \
    X(dup3, DUP, do_dup)                                                                           \
    X(fcntl, DUP, do_fcntl)                                                                        \
    X(close, CLOSE, do_close)                                                                      \
    X(close_range, CLOSE, do_close_range)                                                          \
    X(rt_sigaction, NONE, do_sigaction)                                                            \
    X(prctl, NONE, do_filter)                                                                      \
    X(seccomp, NONE, do_filter)

enum {
    ROW_NONE,
#define X(name, event, function) ROW_##name,
    NUMBERS(X)
#undef X
};

static const struct {
    enum nsd_call call;
    handler *handle;
} rows[] = {{NSD_CALL_NONE, make},
#define X(name, event, function) {NSD_CALL_##event, function},
            NUMBERS(X)
#undef X
};

/* By number: which row, 0 for none. The assembly reads it: 512 bytes. */
extern const uint8_t syscall_rows[512] __attribute__((visibility("hidden")));
const uint8_t syscall_rows[512] = {
#define X(name, event, function) [__NR_##name] = ROW_##name,
    NUMBERS(X)
#undef X
};

long syscall__decode(long number, long a, long b, long c, long d, long e, long f)
    __attribute__((visibility("hidden")));
bool syscall__shares_memory(long number, long a, long b) __attribute__((visibility("hidden")));
void *syscall__next(void) __attribute__((visibility("hidden")));

/* Called as syscall() itself would be, from the caller's own frame. */
long syscall__decode(long number, long a, long b, long c, long d, long e, long f) {
    struct request request = {.site = NSD_SITE(),
                              .call = rows[syscall_rows[number]].call,
                              .number = number,
                              .argument = {a, b, c, d, e, f}};

    return rows[syscall_rows[number]].handle(&request);
}

/*
 * Whether this clone or clone3 makes a child that shares our memory or has a stack of its own: it
 * would come back through a frame of ours that is not there for it, so nothing may be put in
 * between. Where it cannot be told nothing is put in between either.
 */
bool syscall__shares_memory(long number, long a, long b) {
    uint64_t arguments[8] = {0}; /* struct clone_args: flags first, stack sixth */

    if (number == __NR_clone) {
        arguments[0] = (uint64_t) a;
        arguments[5] = (uint64_t) b;
    } else if (b < (long) sizeof(arguments) ||
               memory__try_copy(arguments, (const void *) a, sizeof(arguments)) !=
                   sizeof(arguments)) {
        arguments[0] = CLONE_VM;
    }
    if ((arguments[0] & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
        caller__distrust_thread_pointer();
    return (arguments[0] & CLONE_VM) != 0 || arguments[5] != 0;
}

void *syscall__next(void) {
    return next__of(NSD_FUNCTION_syscall);
}
