/*
 * What the hooks of the Go runtime share: who called, and how that becomes an event. For the files
 * of this folder.
 */
#ifndef NSD_PROBES_GO_HOOK_H
#define NSD_PROBES_GO_HOOK_H

#include "probes/go/runtime.h"
#include "probes/go/x86_64/trampoline.h"
#include "probes/submit.h"

/* One watched call, while its hook runs. */
struct nsd_go_moment {
    struct nsd_go_call *call;
    uint64_t m;
    int32_t tid;
    int32_t procid; /* the tid as the M has it, 0 if it has none now */
};

/* Whoever arrives with an M whose thread is in the middle of a vfork is the child. */
bool hook__is_vfork_child(uint64_t m);
/*
 * Says who makes the call. False if it is no thread of ours (the vfork child of one has been told
 * apart before).
 */
bool hook__moment(struct nsd_go_call *call, struct nsd_go_moment *moment);
/* To be called first in every hook that asks for g: before 1.17 no register held it. */
void hook__find_g(struct nsd_go_call *call);
/* The goroutine and its lock state. */
void hook__who(const struct nsd_go_moment *moment, struct nsd_event *event);
/* An event with everything that the moment and the call know, the stack included. */
void hook__describe(const struct nsd_go_moment *moment, enum nsd_call what,
                    struct nsd_event *event);
/* In a copy of the process made by a clone without CLONE_VM. */
void hook__fork_child(struct nsd_go_call *call);

/* At start: fills nsd_go_watch. */
void hook__begin(void);
/* close, dup and the like from now on. */
void hook__watch_descriptors(void);

/* Calls that begin or replace a process (process.c), as rows of hook.c's table. */
void process__before_clone(struct nsd_go_moment *moment);
void process__after_clone(struct nsd_go_moment *moment);
void process__before_exec(struct nsd_go_moment *moment);
void process__after_exec(struct nsd_go_moment *moment);
void process__before_exit(struct nsd_go_moment *moment);
void process__before_exit_group(struct nsd_go_moment *moment);
/* The same in a vfork child: nothing is recorded, but its next image is handed on to. */
void process__child_before_exec(struct nsd_go_call *call, uint64_t m);
void process__child_after_exec(struct nsd_go_call *call, uint64_t m);

#endif
