/*
 * The hooks of the Go runtime's system calls: which numbers are watched, and what each call means
 * as an event. Called by the trampolines on a stack of the pool, before and after the system call
 * and never across it; also by a vfork child in our memory, for which nothing is recorded. No libc,
 * no TLS, and no waiting: the goroutine may hold up a stop-the-world.
 */
#include "probes/go/hook.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/go/moment.h"
#include "probes/go/process.h"
#include "probes/go/stackpool.h"
#include "host/proc_path.h"
#include "host/caller.h"
#include "host/identity.h"
#include "calls/seccomp.h"
#include "intake/submit.h"
#include "stacks/capture.h"
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define FAMILY_UNIX 1
#define PATH_MOST 256

/* What the trampolines have written down in numbers. */
#define STANDS_AT(field, at) _Static_assert(offsetof(struct nsd_go_call, field) == (at), #field)
STANDS_AT(number, NSD_GO_CALL_NUMBER);
STANDS_AT(arguments, NSD_GO_CALL_ARGUMENTS);
STANDS_AT(result, NSD_GO_CALL_RESULT);
STANDS_AT(g, NSD_GO_CALL_G);
STANDS_AT(stack_pointer, NSD_GO_CALL_STACK_POINTER);
STANDS_AT(frame_pointer, NSD_GO_CALL_FRAME_POINTER);
STANDS_AT(pc, NSD_GO_CALL_PC);
STANDS_AT(stack, NSD_GO_CALL_STACK);
STANDS_AT(busy, NSD_GO_CALL_BUSY);
_Static_assert(sizeof(struct nsd_go_call) == NSD_GO_CALL_SIZE, "size");
_Static_assert(NSD_GO_CALL_SIZE % 16 == 0, "alignment of the stack");

uint8_t nsd_go_watch[NSD_GO_NUMBERS];

typedef void hook(struct nsd_go_moment *moment);

static hook before_setns, after_setns, before_unshare, after_unshare, after_call, after_socket,
    after_open, after_dup, after_fcntl, before_close, before_close_range, before_filter,
    after_filter;

/*
 * X(system call, event, bits, LATER if only once descriptors matter, hook before, hook after).
 * close has to be told before it is done: afterwards another thread may have the number again.
 */
#define BOTH (NSD_GO_BEFORE | NSD_GO_AFTER)
#define HOOK_TABLE(X)                                                                              \
    X(setns, SETNS, BOTH, 0, before_setns, after_setns)                                            \
    X(unshare, UNSHARE, BOTH, 0, before_unshare, after_unshare)                                    \
    X(mount, MOUNT, NSD_GO_AFTER, 0, NULL, after_call)                                             \
    X(umount2, UMOUNT2, NSD_GO_AFTER, 0, NULL, after_call)                                         \
    X(pivot_root, PIVOT_ROOT, NSD_GO_AFTER, 0, NULL, after_call)                                   \
    X(chroot, CHROOT, NSD_GO_AFTER, 0, NULL, after_call)                                           \
    X(move_mount, MOVE_MOUNT, NSD_GO_AFTER, 0, NULL, after_call)                                   \
    X(open_tree, OPEN_TREE, NSD_GO_AFTER, 0, NULL, after_call)                                     \
    X(fsmount, FSMOUNT, NSD_GO_AFTER, 0, NULL, after_call)                                         \
    X(mount_setattr, MOUNT_SETATTR, NSD_GO_AFTER, 0, NULL, after_call)                             \
    X(socket, SOCKET, NSD_GO_AFTER, 0, NULL, after_socket)                                         \
    X(open, OPEN, NSD_GO_AFTER | NSD_GO_PATH_1, 0, NULL, after_open)                               \
    X(openat, OPEN, NSD_GO_AFTER | NSD_GO_PATH_2, 0, NULL, after_open)                             \
    X(openat2, OPEN, NSD_GO_AFTER | NSD_GO_PATH_2, 0, NULL, after_open)                            \
    X(dup, DUP, NSD_GO_AFTER, LATER, NULL, after_dup)                                              \
    X(dup2, DUP, NSD_GO_AFTER, LATER, NULL, after_dup)                                             \
    X(dup3, DUP, NSD_GO_AFTER, LATER, NULL, after_dup)                                             \
    X(fcntl, DUP, NSD_GO_AFTER, LATER, NULL, after_fcntl)                                          \
    X(close, CLOSE, NSD_GO_BEFORE, LATER, before_close, NULL)                                      \
    X(close_range, CLOSE, NSD_GO_BEFORE, LATER, before_close_range, NULL)                          \
    X(clone, CLONE, BOTH, 0, process__before_clone, process__after_clone)                          \
    X(clone3, CLONE3, BOTH, 0, process__before_clone, process__after_clone)                        \
    X(fork, FORK, BOTH, 0, process__before_clone, process__after_clone)                            \
    X(vfork, VFORK, BOTH, 0, process__before_clone, process__after_clone)                          \
    X(execve, EXEC, BOTH, 0, process__before_exec, process__after_exec)                            \
    X(execveat, EXEC, BOTH, 0, process__before_exec, process__after_exec)                          \
    X(exit, THREAD_DIED, NSD_GO_BEFORE, 0, process__before_exit, NULL)                             \
    X(exit_group, EXIT_GROUP, NSD_GO_BEFORE, 0, process__before_exit_group, NULL)                  \
    X(prctl, NONE, BOTH, 0, before_filter, after_filter)                                           \
    X(seccomp, NONE, BOTH, 0, before_filter, after_filter)

#define LATER 1

struct row {
    uint16_t number;
    uint8_t call; /* enum nsd_call */
    uint8_t bits;
    uint8_t later;
    hook *before, *after;
};

static const struct row rows[] = {
#define X(number, call, bits, later, before, after)                                                \
    {__NR_##number, NSD_CALL_##call, bits, later, before, after},
    HOOK_TABLE(X)
#undef X
};
#define ROWS (sizeof rows / sizeof *rows)

static uint8_t row_of[NSD_GO_NUMBERS]; /* 1-based */

void hook__begin(void) {
    for (unsigned i = 0; i < ROWS; i++) {
        row_of[rows[i].number] = (uint8_t) (i + 1);
        if (rows[i].later == 0)
            nsd_go_watch[rows[i].number] = rows[i].bits;
    }
}

void hook__watch_descriptors(void) {
    for (unsigned i = 0; i < ROWS; i++) {
        if (rows[i].later != 0)
            __atomic_store_n(&nsd_go_watch[rows[i].number], rows[i].bits, __ATOMIC_RELAXED);
    }
}

static const struct row *row_of_call(const struct nsd_go_call *call) {
    uint8_t row = call->number < NSD_GO_NUMBERS ? row_of[call->number] : 0;

    return row == 0 ? NULL : &rows[row - 1];
}

/* ---- dispatch ---- */

void nsd_go_before(struct nsd_go_call *call) {
    const struct row *row = row_of_call(call);
    struct nsd_go_moment moment;
    uint64_t m;

    moment__find_g(call);
    m = moment__m_of(call->g);
    stackpool__own(call->stack, m);
    call->result = 0;
    if (row == NULL || row->before == NULL) {
    } else if (moment__is_vfork_child(m)) {
        if (row->call == NSD_CALL_EXEC)
            process__child_before_exec(call, m);
    } else if (moment__begin(call, &moment)) {
        row->before(&moment);
    }
    stackpool__disown(call->stack);
}

void nsd_go_after(struct nsd_go_call *call) {
    const struct row *row = row_of_call(call);
    struct nsd_go_moment moment;
    uint64_t m;

    moment__find_g(call);
    m = moment__m_of(call->g);
    stackpool__own(call->stack, m);
    if (row == NULL || row->after == NULL) {
    } else if (row->before == process__before_clone) {
        /* Both sides come by, and the mark must go before it is asked who this is. */
        moment.call = call;
        moment.m = m;
        row->after(&moment);
    } else if (moment__is_vfork_child(m)) {
        if (row->call == NSD_CALL_EXEC)
            process__child_after_exec(call, m);
    } else if (moment__begin(call, &moment)) {
        row->after(&moment);
    }
    stackpool__disown(call->stack);
}

/* ---- namespaces ---- */

static bool is_within(const struct nsd_go_function *function, uint64_t pc) {
    return pc > function->entry && pc <= function->end;
}

/*
 * syscall.AllThreadsSyscall: one goroutine makes the call, and the runtime repeats it on every
 * other M: in a signal handler over whatever goroutine is there, up to 1.17 by a method that each M
 * calls when it wakes (runtime.mDoFixup). These functions make the call themselves, so they stand
 * at the top of the stack.
 */
static void announce_all_threads(const struct nsd_go_moment *moment,
                                 const struct nsd_event *event) {
    const struct nsd_frames *frames = event->frames;
    struct nsd_event part;

    for (unsigned i = 0; frames != NULL && i < frames->depth && i < 3; i++) {
        if (!is_within(&nsd_go_runtime.function.do_all_threads, frames->frame[i].pc) &&
            !is_within(&nsd_go_runtime.function.run_per_thread, frames->frame[i].pc) &&
            !is_within(&nsd_go_runtime.function.all_threads_caller, frames->frame[i].pc))
            continue;
        submit__prepare(&part, NSD_CALL_ALL_THREADS, moment->tid);
        moment__who(moment, &part);
        submit__event(&part);
        return;
    }
}

static void after_call(struct nsd_go_moment *moment) {
    struct nsd_event event;

    moment__describe(moment, (enum nsd_call) row_of_call(moment->call)->call, &event);
    submit__event(&event);
}

static uint32_t setns_flags(const struct nsd_go_call *call) {
    return (uint32_t) call->arguments[1];
}

static void before_setns(struct nsd_go_moment *moment) {
    nsd_kinds kinds = kinds__of_flags(setns_flags(moment->call));
    struct nsd_identity identity;

    if (kinds == 0 && identity__of_descriptor((int) moment->call->arguments[0], 0, &identity) == 0)
        kinds = NSD_KIND_BIT(identity.kind);
    submit__observe(moment->tid, kinds);
}

/* The descriptor still leads where it led: setns changes nothing about it. */
static void after_setns(struct nsd_go_moment *moment) {
    uint32_t flags = setns_flags(moment->call);
    struct nsd_event event;
    int answer;

    moment__describe(moment, NSD_CALL_SETNS, &event);
    event.kinds = kinds__of_flags(flags);
    answer = identity__of_descriptor((int) moment->call->arguments[0], flags, &event.identity[0]);
    if (answer == 0) {
        event.identities = 1;
        event.from_descriptor = true;
        event.kinds = NSD_KIND_BIT(event.identity[0].kind);
    } else if (answer == -ENOTTY && event.result >= 0) {
        identity__fill(&event, 0, event.kinds); /* by a pidfd */
    }
    announce_all_threads(moment, &event);
    submit__event(&event);
}

static void before_unshare(struct nsd_go_moment *moment) {
    submit__observe(moment->tid, kinds__of_flags(moment->call->arguments[0]));
}

static void after_unshare(struct nsd_go_moment *moment) {
    uint64_t flags = moment->call->arguments[0];
    struct nsd_event event;

    moment__describe(moment, NSD_CALL_UNSHARE, &event);
    event.kinds = kinds__of_flags(flags);
    /* kernel/fork.c, ksys_unshare: a new user or mnt namespace takes a private fs with it. */
    if ((flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)) != 0)
        event.kinds = (nsd_kinds) (event.kinds | NSD_PRIVATE_FS);
    if ((flags & CLONE_FILES) != 0)
        event.kinds = (nsd_kinds) (event.kinds | NSD_PRIVATE_FILES);
    announce_all_threads(moment, &event);
    submit__event(&event);
}

static void after_socket(struct nsd_go_moment *moment) {
    struct nsd_event event;

    if (!submit__any_switch() || moment->call->arguments[0] == FAMILY_UNIX)
        return;
    moment__describe(moment, NSD_CALL_SOCKET, &event);
    event.kinds = NSD_KIND_BIT(NSD_KIND_NET);
    submit__event(&event);
}

/* ---- descriptors ---- */

/* A path under /proc or /run was opened: the trampoline has looked at its first bytes. */
static void after_open(struct nsd_go_moment *moment) {
    const struct nsd_go_call *call = moment->call;
    char path[PATH_MOST];
    struct nsd_proc_path read;
    struct nsd_event event;

    if (!memory__try_string(path, sizeof path,
                            (const char *) call->arguments[call->number == __NR_open ? 0 : 1]) ||
        !proc_path__read(path, &read))
        return;
    moment__describe(moment, NSD_CALL_OPEN, &event);
    memory__fill(event.arguments, 0, sizeof event.arguments);
    event.arguments[0] = (uint64_t) event.result;
    if (identity__of_descriptor((int) event.result, 0, &event.identity[0]) != 0)
        return;
    event.identities = 1;
    event.from_descriptor = true;
    /* The link says "pid", the descriptor cannot say whether it is the children's. */
    event.kinds = read.kinds != 0 ? read.kinds : NSD_KIND_BIT(event.identity[0].kind);
    event.path_owner = (uint8_t) read.owner;
    event.other_tid = read.tid;
    submit__event(&event);
}

static void after_dup(struct nsd_go_moment *moment) {
    struct nsd_event event;

    if (moment->call->result < 0)
        return;
    moment__describe(moment, NSD_CALL_DUP, &event);
    memory__fill(event.arguments + 1, 0, sizeof event.arguments - sizeof *event.arguments);
    submit__event(&event);
}

static void after_fcntl(struct nsd_go_moment *moment) {
    uint64_t command = moment->call->arguments[1];

    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        after_dup(moment);
}

static void close_from_to(struct nsd_go_moment *moment, uint64_t first, uint64_t last) {
    struct nsd_event event;

    submit__prepare(&event, NSD_CALL_CLOSE, moment->tid);
    moment__who(moment, &event);
    event.arguments[0] = first;
    event.arguments[1] = last;
    submit__event(&event);
}

static void before_close(struct nsd_go_moment *moment) {
    uint64_t fd = moment->call->arguments[0];

    close_from_to(moment, fd, fd);
}

static void before_close_range(struct nsd_go_moment *moment) {
    const struct nsd_go_call *call = moment->call;

    if ((call->arguments[2] & CLOSE_RANGE_CLOEXEC) == 0)
        close_from_to(moment, (uint32_t) call->arguments[0], (uint32_t) call->arguments[1]);
}

/* ---- the host's own seccomp filter ---- */

static struct nsd_filter_call filter_call(const struct nsd_go_call *call) {
    return call->number == __NR_prctl
               ? seccomp__of_prctl(call->arguments[0], call->arguments[1], call->arguments[2])
               : seccomp__of_seccomp(call->arguments[0], call->arguments[2]);
}

static void before_filter(struct nsd_go_moment *moment) {
    const struct nsd_filter_call call = filter_call(moment->call);

    seccomp__before(moment->tid, &call);
}

static void after_filter(struct nsd_go_moment *moment) {
    const struct nsd_filter_call call = filter_call(moment->call);

    if (call.sets && moment->call->result >= 0)
        seccomp__stands(&call);
}
