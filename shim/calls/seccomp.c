/*
 * The host's own seccomp filter, set by prctl or seccomp. It may kill the host for a system call
 * that it does not expect, so we make none of our own while it holds (sys__forbid), and a filter
 * that can kill also keeps the preload from the next images. A filter's program is read right after
 * the kernel has read it. A vfork child's filter holds for the child alone. Called through table.h.
 */
#include "base/clock.h"
#include "base/syscall.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "intake/last_words.h"
#include "intake/submit.h"
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>

/* What a prctl or seccomp asks for. */
struct filter_call {
    bool sets; /* sets a filter */
    bool is_strict;
    bool denies_ticks; /* from then on reading the tick counter is answered by a signal */
    bool names_thread; /* a positive result is the tid of a thread that prevented the filter */
    const struct sock_fprog *program;
};

static struct filter_call read_prctl(const uint64_t argument[6]) {
    bool sets = argument[0] == PR_SET_SECCOMP,
         is_strict = sets && argument[1] == SECCOMP_MODE_STRICT;

    return (struct filter_call){
        .sets = sets,
        .is_strict = is_strict,
        .denies_ticks = is_strict || (argument[0] == PR_SET_TSC && argument[1] == PR_TSC_SIGSEGV),
        .program = (const void *) argument[2]};
}

static struct filter_call read_seccomp(const uint64_t argument[6]) {
    return (struct filter_call){.sets = argument[0] <= SECCOMP_SET_MODE_FILTER,
                                .is_strict = argument[0] == SECCOMP_SET_MODE_STRICT,
                                .denies_ticks = argument[0] == SECCOMP_SET_MODE_STRICT,
                                .names_thread =
                                    (argument[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0,
                                .program = (const void *) argument[2]};
}

static struct filter_call read_call(const struct nsd_ongoing *ongoing) {
    return ongoing->meaning->number == __NR_prctl ? read_prctl(ongoing->argument)
                                                  : read_seccomp(ongoing->argument);
}

/*
 * Does what needs system calls, because none may be made under the filter: looks whether the
 * library can be reached, maps the memory that later events may need, reports what was found so
 * far.
 */
static void prepare_for_filter(struct nsd_ongoing *ongoing) {
    environment__before_filter();
    submit__reserve(ongoing->tid);
    if (!submit__has_findings())
        return;
    submit__prepare(&ongoing->event, NSD_CALL_REPORT, ongoing->tid);
    last_words__report(&ongoing->event, NSD_OCCASION_SIGNAL);
}

/* ---- calls that are under way ---- */

/*
 * Threads that are in a call which installs a filter: each has forbidden system calls once, and
 * permits them again at most once. An entrance that keeps nothing across the call may miss one side
 * of it, so the tid tells whether this thread forbade. A thread writes and reads only an entry with
 * its own tid; relaxed, because each entry is whole in itself.
 */
#define UNDER_WAY_MOST 64u
static _Atomic int32_t under_way[UNDER_WAY_MOST];

static bool replace_entry(int32_t from, int32_t to) {
    for (unsigned i = 0; i < UNDER_WAY_MOST; i++) {
        int32_t expected = from;

        if (atomic_compare_exchange_strong_explicit(&under_way[i], &expected, to,
                                                    memory_order_relaxed, memory_order_relaxed))
            return true;
    }
    return false;
}

/*
 * Before the host's call, not after it: with TSYNC the filter holds for every thread at once, and a
 * thread in our code, or a signal handler of this one, would be killed before the call returned.
 * Without a free entry system calls are forbidden after the call.
 */
static void forbid_before(int32_t tid) {
    /* An entry is there if a signal handler jumped out of the last call: it still forbids. */
    if (!replace_entry(tid, tid) && replace_entry(0, tid))
        sys__forbid();
}

/*
 * After the host's call. In a fork child of another thread the entry stays: nobody can tell whether
 * the child has the filter.
 */
static void settle(int32_t tid, bool must_be_silent) {
    const bool has_forbidden = replace_entry(tid, 0);

    if (must_be_silent && !has_forbidden)
        sys__forbid();
    else if (!must_be_silent && has_forbidden)
        sys__permit();
}

void calls__before_filter(struct nsd_ongoing *ongoing) {
    const struct filter_call call = read_call(ongoing);

    if (!call.sets && !call.denies_ticks)
        return;
    if (!calls__is_ours(ongoing)) {
        if (call.sets)
            caller__note_filter_of_child(ongoing->key);
        return;
    }
    if (call.denies_ticks)
        clock__stop_ticks();
    if (!call.sets)
        return;
    prepare_for_filter(ongoing);
    forbid_before(ongoing->tid);
}

/* ---- what the filter can do ---- */

enum harm {
    HARM_NONE,
    HARM_SILENCE, /* our own system calls might hang or be answered with a lie */
    HARM_DEATH,
};

/* The kernel takes an unknown action for KILL_PROCESS (kernel/seccomp.c, __seccomp_filter). */
static enum harm harm_of_action(uint32_t action) {
    static const struct {
        uint32_t action;
        enum harm harm;
    } rows[] = {
        {SECCOMP_RET_ALLOW, HARM_NONE},
        {SECCOMP_RET_LOG, HARM_NONE},
        {SECCOMP_RET_ERRNO, HARM_NONE},
        /* Another process answers. */
        {SECCOMP_RET_TRACE, HARM_SILENCE},
        {SECCOMP_RET_USER_NOTIF, HARM_SILENCE},
    };

    /* The error 0 makes a call that was not made look like a success. */
    if (action == SECCOMP_RET_ERRNO)
        return HARM_SILENCE;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].action == (action & SECCOMP_RET_ACTION_FULL))
            return rows[i].harm;
    }
    return HARM_DEATH;
}

/* The worst that a return of the program does. A return that is no constant may be anything. */
static enum harm harm_of_program(const struct sock_fprog *program) {
    enum harm worst = HARM_NONE;

    if (program == NULL)
        return HARM_DEATH;
    for (unsigned i = 0; i < program->len; i++) {
        const struct sock_filter *instruction = &program->filter[i];
        enum harm harm;

        if (BPF_CLASS(instruction->code) != BPF_RET)
            continue;
        harm = BPF_RVAL(instruction->code) == BPF_K ? harm_of_action(instruction->k) : HARM_DEATH;
        if (harm > worst)
            worst = harm;
    }
    return worst;
}

static enum harm harm_of(const struct nsd_ongoing *ongoing, const struct filter_call *call) {
    if (ongoing->result < 0 || (ongoing->result > 0 && call->names_thread))
        return HARM_NONE;
    return call->is_strict ? HARM_DEATH : harm_of_program(call->program);
}

void calls__after_filter(struct nsd_ongoing *ongoing) {
    const struct filter_call call = read_call(ongoing);
    enum harm harm;

    if (!call.sets || !calls__is_still_ours(ongoing))
        return;
    harm = harm_of(ongoing, &call);
    if (harm == HARM_DEATH)
        environment__end_following();
    settle(ongoing->tid, harm != HARM_NONE);
}
