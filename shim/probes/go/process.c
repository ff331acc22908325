/*
 * The Go hooks of calls that begin, replace or end a process: clone and its kin, exec, exit_group.
 * os/exec clones with CLONE_VM|CLONE_VFORK: the child runs Go code and these hooks in our memory,
 * with its parent's g and m, until it execs. It is told by the mark that the parent set on its m
 * (never by pid or tid: a pid-1 parent and its CLONE_NEWPID child both answer 1).
 */
#include "probes/go/process.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/go/stackpool.h"
#include "host/caller.h"
#include "calls/ending.h"
#include "host/environment.h"
#include "calls/signals.h"
#include "host/unwatched.h"
#include "intake/last_words.h"
#include "intake/submit.h"
#include <linux/sched.h>

/*
 * Environments that were put in an exec's way, by M: given back when the exec fails, so that the
 * host finds its own argument again. A vfork child's mapping is left to environment.c, which gives
 * it back in the parent, in whose memory it is.
 */
#define PENDING 32u

struct pending {
    uint64_t m;
    uint64_t given; /* the host's own argument */
    struct nsd_environment environment;
};
static struct pending pending[PENDING];

static struct pending *take_pending(uint64_t m) {
    for (unsigned i = 0; i < PENDING; i++) {
        uint64_t nobody = 0;

        if (__atomic_compare_exchange_n(&pending[i].m, &nobody, m, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return &pending[i];
    }
    return NULL;
}

/* What was made for this M is given back; the host's own argument to *given. */
static void release_pending(uint64_t m, uint64_t *given) {
    for (unsigned i = 0; i < PENDING; i++) {
        if (__atomic_load_n(&pending[i].m, __ATOMIC_ACQUIRE) != m)
            continue;
        *given = pending[i].given;
        environment__release(&pending[i].environment);
        __atomic_store_n(&pending[i].m, 0, __ATOMIC_RELEASE);
    }
}

static unsigned environment_argument(const struct nsd_go_call *call) {
    return call->number == __NR_execveat ? 3 : 2;
}

static void hand_on(struct nsd_go_call *call, uint64_t m, bool is_vfork_child) {
    unsigned place = environment_argument(call);
    uint64_t *argument = &call->arguments[place];
    struct pending *ours = take_pending(m);

    signals__before_exec();
    unwatched__note(place == 3 ? (int) call->arguments[0] : AT_FDCWD,
                    (const char *) call->arguments[place - 2]);
    if (ours == NULL)
        return;
    environment__for_exec((char *const *) *argument, is_vfork_child ? m : 0, &ours->environment);
    if (ours->environment.list == (char **) *argument) {
        __atomic_store_n(&ours->m, 0, __ATOMIC_RELEASE);
        return;
    }
    ours->given = *argument;
    *argument = (uint64_t) ours->environment.list;
}

void process__child_before_exec(struct nsd_go_call *call, uint64_t m) {
    hand_on(call, m, true);
}

void process__child_after_exec(struct nsd_go_call *call, uint64_t m) {
    release_pending(m, &call->arguments[environment_argument(call)]);
    signals__after_exec();
    unwatched__take_back();
}

void process__before_exec(struct nsd_go_moment *moment) {
    struct nsd_event event;

    moment__describe(moment, NSD_CALL_EXEC, &event);
    last_words__report(&event, NSD_OCCASION_EXEC);
    hand_on(moment->call, moment->m, false);
}

/* Only a failed exec comes back. */
void process__after_exec(struct nsd_go_moment *moment) {
    process__child_after_exec(moment->call, moment->m);
    last_words__exec_failed(moment->tid, moment->call->result);
}

/* Flags as clone takes them, whichever call it is. */
static uint64_t clone_flags(const struct nsd_go_call *call, bool is_after) {
    uint64_t flags = 0;

    switch (call->number) {
    case __NR_clone:
        return call->arguments[0];
    case __NR_clone3:
        /* struct clone_args begins with them; afterwards the kernel has read it too. */
        if (is_after && call->result >= 0)
            return *(const volatile uint64_t *) call->arguments[0];
        if (memory__try_copy(&flags, (const void *) call->arguments[0], sizeof flags) !=
            sizeof flags)
            return 0;
        return flags;
    case __NR_vfork:
        return CLONE_VM | CLONE_VFORK;
    default:
        return 0;
    }
}

static bool shares_memory(uint64_t flags) {
    return (flags & (CLONE_VM | CLONE_VFORK)) == (CLONE_VM | CLONE_VFORK);
}

void process__before_clone(struct nsd_go_moment *moment) {
    if (shares_memory(clone_flags(moment->call, false)))
        caller__mark_vfork(moment->tid, moment->m);
}

/*
 * Comes by twice: in the child with 0, and in the parent. The parent's m is cleared of the mark,
 * and of what a child that was killed or is another program by now still held.
 */
void process__after_clone(struct nsd_go_moment *moment) {
    struct nsd_go_call *call = moment->call;
    uint64_t flags = clone_flags(call, true), m = moment->m, unused;
    struct nsd_event event;

    if (call->result == 0) {
        if ((flags & CLONE_VM) == 0)
            moment__fork_child(call);
        else if (shares_memory(flags) && !moment__is_vfork_child(m))
            caller__mark_vfork(0, m); /* its parent had no stack to do so on */
        return;
    }
    /* A vfork child may itself vfork; the mark is its parent's, who has not come back yet. */
    if (shares_memory(flags)) {
        caller__clear_vfork(0, m);
        stackpool__reclaim(m, call->stack);
        release_pending(m, &unused);
    }
    if (moment__is_vfork_child(m) || !moment__begin(call, moment))
        return;
    moment__describe(moment, call->number == __NR_clone3 ? NSD_CALL_CLONE3 : NSD_CALL_CLONE,
                     &event);
    event.arguments[0] = flags;
    event.other_tid = call->result > 0 ? (int32_t) call->result : 0;
    submit__event(&event);
}

/* SYS_exit by RawSyscall: a thread that ends itself behind the runtime's back. */
void process__before_exit(struct nsd_go_moment *moment) {
    struct nsd_event event;

    moment__describe(moment, NSD_CALL_THREAD_DIED, &event);
    event.explicit_end = true;
    submit__event(&event);
}

void process__before_exit_group(struct nsd_go_moment *moment) {
    struct nsd_event event;

    moment__describe(moment, NSD_CALL_EXIT_GROUP, &event);
    last_words__report(&event, NSD_OCCASION_EXIT);
    moment->call->arguments[0] = (uint32_t) ending__status((int) moment->call->arguments[0]);
}
