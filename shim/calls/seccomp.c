/*
 * Watching for the host's seccomp filters: see seccomp.h. A filter's program is read right after
 * the kernel has read it.
 */
#include "calls/seccomp.h"
#include "base/clock.h"
#include "base/memory.h"
#include "host/environment.h"
#include "host/identity.h"
#include "intake/last_words.h"
#include "intake/submit.h"
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>

struct nsd_filter_call seccomp__of_prctl(uint64_t option, uint64_t mode, uint64_t program) {
    bool sets = option == PR_SET_SECCOMP, is_strict = sets && mode == SECCOMP_MODE_STRICT;

    return (struct nsd_filter_call){
        .sets = sets,
        .is_strict = is_strict,
        .denies_ticks = is_strict || (option == PR_SET_TSC && mode == PR_TSC_SIGSEGV),
        .program = (const void *) program};
}

struct nsd_filter_call seccomp__of_seccomp(uint64_t operation, uint64_t program) {
    return (struct nsd_filter_call){.sets = operation <= SECCOMP_SET_MODE_FILTER,
                                    .is_strict = operation == SECCOMP_SET_MODE_STRICT,
                                    .denies_ticks = operation == SECCOMP_SET_MODE_STRICT,
                                    .program = (const void *) program};
}

void seccomp__before(int32_t tid, const struct nsd_filter_call *call) {
    struct nsd_event event;

    if (call->denies_ticks)
        clock__stop_ticks();
    if (!call->sets)
        return;
    environment__before_filter();
    submit__reserve(tid);
    if (!submit__has_findings())
        return;
    submit__prepare(&event, NSD_CALL_REPORT, tid);
    last_words__report(&event, NSD_OCCASION_SIGNAL);
}

/* Some way through the program ends in death, or in an answer that cannot be told from here. */
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

void seccomp__stands(const struct nsd_filter_call *call) {
    if (call->is_strict || program_may_kill(call->program))
        environment__end_following();
    identity__quiet();
    memory__only_own_calls();
}
