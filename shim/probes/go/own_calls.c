/*
 * The Go hooks of what the runtime does by itself: threads that it makes by a raw clone and ends by
 * exitThread (programs without cgo; under cgo the libc probes see pthread_create), its exit, which
 * runs no destructor, the signal by which it ends, and its sigaction. Called by the trampolines on
 * a stack of the pool.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "calls/signals.h"
#include "host/caller.h"
#include "intake/submit.h"
#include "probes/go/hook.h"
#include "probes/go/moment.h"
#include "probes/go/stackpool.h"

uint32_t nsd_go_signal;

/*
 * At runtime.exit and runtime.raise R14 holds a g, with exceptions: rt0_go exits before there is a
 * g (on a processor without GOAMD64's instructions), a signal may come on a thread that Go does not
 * know, and a runtime that could not be decoded may use R14 otherwise.
 */
static bool has_g(const struct nsd_go_call *call) {
    uint64_t m, g0;

    return runtime__is_decoded(&nsd_go_runtime) && call->g > 4096 &&
           memory__try_copy(&m, (void *) (call->g + NSD_GO_G_M), sizeof m) == sizeof m &&
           m > 4096 && memory__try_copy(&g0, (void *) (m + NSD_GO_M_G0), sizeof g0) == sizeof g0;
}

static bool is_ours(struct nsd_ongoing *ongoing) {
    struct nsd_caller caller;

    if (!caller__is_ours(&caller, 0, 0))
        return false;
    ongoing->tid = caller.tid;
    return true;
}

static void describe(struct nsd_ongoing *ongoing) {
    ongoing->event.runtime = NSD_RUNTIME_GO;
    ongoing->event.lock = NSD_LOCK_UNKNOWN;
}

static void capture(struct nsd_ongoing *ongoing) {
    (void) ongoing;
}

static const struct nsd_entrance entrance_without_g = {
    .is_ours = is_ours, .describe = describe, .capture = capture};

/* A call that may end the image, with a goroutine or without one. */
static void hand_over_end(enum nsd_row row, struct nsd_go_call *call) {
    struct nsd_ongoing ongoing;

    call->result = 0;
    moment__find_g(call);
    if (has_g(call)) {
        hook__hand_over(row, call, true);
        return;
    }
    calls__begin(&ongoing, row, &entrance_without_g, NULL, 0);
    memory__copy(ongoing.argument, call->arguments, sizeof ongoing.argument);
    calls__before(&ongoing);
    call->arguments[0] = ongoing.argument[0];
}

void nsd_go_exit(struct nsd_go_call *call) {
    hand_over_end(NSD_ROW_runtime_exit, call);
}

/*
 * A signal that ends a Go program does not end it at once: the runtime's handler gives the signal
 * its default action and raises it again (runtime/signal_unix.go, dieFromSignal).
 */
void nsd_go_raise(struct nsd_go_call *call) {
    hand_over_end(NSD_ROW_runtime_raise, call);
}

/* runtime.mexit ends its M: the goroutine ended while it was locked to it. */
void nsd_go_exit_thread(struct nsd_go_call *call) {
    struct nsd_go_moment moment;
    struct nsd_event event;

    call->result = 0;
    moment__find_g(call);
    if (!moment__begin(call, &moment))
        return;
    submit__prepare(&event, NSD_CALL_THREAD_DIED, moment.tid);
    moment__goroutine(&moment, &event);
    submit__event(&event);
}

/*
 * The parent's half of a birth: `result` is runtime.clone's m, and is replaced by the token.
 * Without an m (newosproc0: a C archive starts the runtime) there is no g that could be read.
 */
void nsd_go_clone_before(struct nsd_go_call *call) {
    bool has_m = call->result != 0;
    struct nsd_go_moment moment;
    struct nsd_event event;

    call->result = 0;
    if (has_m)
        moment__find_g(call);
    if (!has_m || !moment__begin(call, &moment))
        return;
    moment__describe(&moment, NSD_CALL_THREAD_CREATE, &event);
    memory__fill(event.arguments, 0, sizeof event.arguments);
    event.result = 0;
    event.token = submit__new_token();
    call->result = event.token;
    submit__event(&event);
}

/*
 * The child's half, in the child before it does anything else. The kernel is asked for its tid, as
 * runtime.clone does next. All its signals are blocked, and it has neither g nor TLS yet.
 */
void nsd_go_clone_born(struct nsd_go_call *call) {
    struct nsd_event event;

    if (call->number == 0)
        return;
    submit__prepare(&event, NSD_CALL_THREAD_BORN, sys__gettid());
    event.runtime = NSD_RUNTIME_GO;
    event.lock = NSD_LOCK_UNLOCKED;
    event.token = (uint32_t) call->number;
    submit__event(&event);
}

void nsd_go_clone_failed(struct nsd_go_call *call) {
    struct nsd_go_moment moment;
    struct nsd_event event;

    if (call->number == 0)
        return;
    moment__find_g(call);
    if (!moment__begin(call, &moment))
        return;
    submit__prepare(&event, NSD_CALL_THREAD_NOT_CREATED, moment.tid);
    event.runtime = NSD_RUNTIME_GO;
    event.token = (uint32_t) call->number;
    event.result = call->result;
    submit__event(&event);
}

/* For the signal of the option signal= the runtime sees the action that it set itself. */
void nsd_go_sigaction(struct nsd_go_call *call) {
    signals__host_action((const struct nsd_kernel_action *) call->arguments[1],
                         (struct nsd_kernel_action *) call->arguments[2]);
    call->result = 0;
}
