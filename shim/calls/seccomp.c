/*
 * The host's own seccomp filter, set by prctl or seccomp. It may kill the host for a system call
 * that it does not expect: from then on we make none of our own (sys__forbid), and a filter that
 * can kill also keeps the preload from the next images. A filter's program is read right after the
 * kernel has read it. A vfork child's filter holds for the child alone. Called through table.h.
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
#include <stddef.h>

/* What a prctl or seccomp asks for. */
struct filter_call {
    bool sets; /* sets a filter */
    bool is_strict;
    bool denies_ticks; /* from then on reading the tick counter is answered by a signal */
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
                                .program = (const void *) argument[2]};
}

static struct filter_call read_call(const struct nsd_ongoing *ongoing) {
    return ongoing->meaning->number == __NR_prctl ? read_prctl(ongoing->argument)
                                                  : read_seccomp(ongoing->argument);
}

/*
 * Reports what was found so far, because nothing can be written under the filter, and stops reading
 * the tick counter where that will raise a signal.
 */
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
    environment__before_filter();
    submit__reserve(ongoing->tid);
    if (!submit__has_findings())
        return;
    submit__prepare(&ongoing->event, NSD_CALL_REPORT, ongoing->tid);
    last_words__report(&ongoing->event, NSD_OCCASION_SIGNAL);
}

/* Whether some return of the program kills or traps, or is no constant. */
static bool program_may_kill(const struct sock_fprog *program) {
    if (program == NULL)
        return true;
    for (unsigned i = 0; i < program->len; i++) {
        const struct sock_filter *instruction = &program->filter[i];

        if (BPF_CLASS(instruction->code) != BPF_RET)
            continue;
        if (BPF_RVAL(instruction->code) != BPF_K)
            return true;
        switch (instruction->k & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_KILL_PROCESS:
        case SECCOMP_RET_KILL_THREAD:
        case SECCOMP_RET_TRAP:
            return true;
        default:
            break;
        }
    }
    return false;
}

void calls__after_filter(struct nsd_ongoing *ongoing) {
    const struct filter_call call = read_call(ongoing);

    if (!call.sets || ongoing->result < 0 || !calls__is_still_ours(ongoing))
        return;
    if (call.is_strict || program_may_kill(call.program))
        environment__end_following();
    sys__forbid();
}
