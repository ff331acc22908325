/*
 * One watched call of the Go runtime while its hook runs: its thread, its goroutine, its stack, and
 * the event that is made of them. For the hooks of this folder; no libc, no wait.
 */
#ifndef NSD_PROBES_GO_MOMENT_H
#define NSD_PROBES_GO_MOMENT_H

#include "goruntime/runtime.h"
#include "ledger/event.h"
#include "probes/go/hooked_call.h"
#include <stdbool.h>
#include <stdint.h>

/* One watched call, while its hook runs. */
struct nsd_go_moment {
    struct nsd_go_call *call;
    uint64_t m;
    int32_t tid;
    int32_t procid; /* the tid as the M has it, 0 if it has none now */
};

/* A call with an M whose thread is inside a vfork comes from the vfork child. */
bool moment__is_vfork_child(uint64_t m);
/*
 * Fills `moment`. False if the caller is no thread of this process. A vfork child must have been
 * excluded before, by moment__is_vfork_child.
 */
bool moment__begin(struct nsd_go_call *call, struct nsd_go_moment *moment);
/* Called first in every hook that reads g: before 1.17 no register held it. */
void moment__find_g(struct nsd_go_call *call);
/* Fills runtime, goroutine and lock state of the event. */
void moment__goroutine(const struct nsd_go_moment *moment, struct nsd_event *event);
/* The stack of the call. */
const struct nsd_frames *moment__stack(const struct nsd_go_moment *moment);
/* An event with everything that the moment and the call know, the stack included. */
void moment__describe(const struct nsd_go_moment *moment, enum nsd_call what,
                      struct nsd_event *event);
/* In a copy of the process made by a clone without CLONE_VM. */
void moment__fork_child(struct nsd_go_call *call);

/* The M that runs this goroutine; 0 for none. */
uint64_t moment__m_of(uint64_t g);

#endif
