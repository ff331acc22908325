/*
 * The host's own seccomp filter: a call of ours that it does not expect may kill the host, so from
 * the moment that it stands we make none that the host does not make itself, and where it can kill
 * the preload is not handed on to the next image either. Called by the probes around prctl and
 * seccomp.
 */
#ifndef NSD_CALLS_SECCOMP_H
#define NSD_CALLS_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

/* prctl(option, mode, program) or seccomp(operation, flags, program), as raw arguments. */
struct nsd_filter_call {
    bool sets; /* it is about a filter at all */
    bool is_strict;
    bool denies_ticks;   /* from then on reading the tick counter is answered by a signal */
    const void *program; /* struct sock_fprog */
};
struct nsd_filter_call seccomp__of_prctl(uint64_t option, uint64_t mode, uint64_t program);
struct nsd_filter_call seccomp__of_seccomp(uint64_t operation, uint64_t program);

/*
 * Before the call: what has been found so far is reported, since nothing is written afterwards, and
 * the tick counter read no more.
 */
void seccomp__before(int32_t tid, const struct nsd_filter_call *call);
/* After it has succeeded. Never for a vfork child, whose filter is its own. */
void seccomp__stands(const struct nsd_filter_call *call);

#endif
