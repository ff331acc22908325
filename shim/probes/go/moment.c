/*
 * Thread, goroutine and stack of a watched call, see moment.h. Called from the hooks of this
 * folder, on a stack of the pool: no libc, no wait.
 */
#include "probes/go/moment.h"
#include "base/syscall.h"
#include "host/caller.h"
#include "intake/submit.h"
#include "probes/go/stackpool.h"
#include "stacks/capture.h"

/* After a fork without CLONE_VM the copy's m.procid is still the parent's. */
static bool procid_is_stale;

uint64_t moment__m_of(uint64_t g) {
    return g == 0 ? 0 : *(const uint64_t *) (g + NSD_GO_G_M);
}

/*
 * The trampolines stored R14. In a vfork child the thread-local word is the parent's, and so is g.
 */
void moment__find_g(struct nsd_go_call *call) {
    if (nsd_go_runtime.g_is_in_tls)
        call->g = goroutine__of_caller(&nsd_go_runtime);
}

/* Adds the events that found no stack to the intake's count of lost events. */
static void count_lost(void) {
    uint64_t lost;

    if (atomic_load_explicit(&nsd_go_without_stack, memory_order_relaxed) == 0)
        return;
    lost = atomic_exchange_explicit(&nsd_go_without_stack, 0, memory_order_relaxed);
    while (lost-- > 0)
        submit__count_lost();
}

bool moment__is_vfork_child(uint64_t m) {
    return caller__is_vfork_child(m);
}

bool moment__begin(struct nsd_go_call *call, struct nsd_go_moment *moment) {
    int32_t procid = procid_is_stale ? 0 : goroutine__tid_of_g(&nsd_go_runtime, call->g);
    struct nsd_caller caller;

    /*
     * Before minit and (from 1.22 on) after unminit an M has no procid. gettid is allowed under any
     * seccomp filter of a Go program: minit calls it for every M.
     */
    if (!caller__is_ours(&caller, 0, procid != 0 ? procid : sys__gettid()))
        return false;
    count_lost();
    moment->call = call;
    moment->m = moment__m_of(call->g);
    moment->tid = caller.tid;
    moment->procid = procid;
    return true;
}

/* In a fork copy the goroutine stays unknown, because the m still names the parent's thread. */
void moment__goroutine(const struct nsd_go_moment *moment, struct nsd_event *event) {
    struct nsd_goroutine goroutine;

    event->runtime = NSD_RUNTIME_GO;
    event->lock = NSD_LOCK_UNKNOWN;
    if (!procid_is_stale &&
        goroutine__of_g(&nsd_go_runtime, moment->call->g, moment->procid, &goroutine))
        goroutine__into_event(&goroutine, event);
}

void moment__fork_child(struct nsd_go_call *call) {
    procid_is_stale = true;
    stackpool__fork_child(call->stack);
    caller__fork_child();
}

/*
 * `g` is what ran at the call: a goroutine, or g0 or gsignal if the runtime itself called. The walk
 * goes from the call's stack pointer to the end of the stack of `g`.
 */
const struct nsd_frames *moment__stack(const struct nsd_go_moment *moment) {
    const struct nsd_go_call *call = moment->call;
    uint64_t low, high;

    if (call->g == 0)
        return capture__go(call->pc, 0, 0, 0);
    low = *(const uint64_t *) (call->g + NSD_GO_G_STACK_LOW);
    high = *(const uint64_t *) (call->g + NSD_GO_G_STACK_HIGH);
    if (call->stack_pointer < low || call->stack_pointer >= high)
        return capture__go(call->pc, 0, 0, 0);
    return capture__go(call->pc, call->frame_pointer, call->stack_pointer, high);
}

void moment__describe(const struct nsd_go_moment *moment, enum nsd_call what,
                      struct nsd_event *event) {
    const struct nsd_go_call *call = moment->call;

    submit__prepare(event, what, moment->tid);
    for (unsigned i = 0; i < sizeof event->arguments / sizeof *event->arguments; i++)
        event->arguments[i] = call->arguments[i];
    event->result = call->result;
    moment__goroutine(moment, event);
    event->frames = moment__stack(moment);
}
