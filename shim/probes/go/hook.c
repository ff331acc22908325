/*
 * The entrance of the Go runtime's system calls: which numbers its trampolines watch, and what the
 * meaning of a call (shim/calls) asks of its caller. Called by the trampolines on a stack of the
 * pool, before and after the system call and never across it, so nothing is kept; also by a vfork
 * child in our memory. No libc, no TLS, and no waiting: the goroutine may hold up a stop-the-world.
 */
#include "probes/go/hook.h"
#include "base/memory.h"
#include "calls/calls.h"
#include "host/caller.h"
#include "probes/go/moment.h"
#include "probes/go/stackpool.h"
#include <stddef.h>

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

_Atomic uint8_t nsd_go_watch[NSD_GO_NUMBERS];
_Static_assert(NSD_GO_NUMBERS == NSD_CALL_NUMBERS, "the table of calls is as long");
_Static_assert((int) NSD_GO_BEFORE == (int) NSD_MOMENT_BEFORE &&
                   (int) NSD_GO_AFTER == (int) NSD_MOMENT_AFTER,
               "the trampolines read the table's moments");

/* ---- which calls are watched ---- */

static uint8_t watch_bits(const struct nsd_call_meaning *meaning) {
    if (meaning->watch == NSD_WATCH_PATH_1)
        return meaning->moments | NSD_GO_PATH_1;
    if (meaning->watch == NSD_WATCH_PATH_2)
        return meaning->moments | NSD_GO_PATH_2;
    return meaning->moments;
}

static void watch(bool descriptors) {
    for (unsigned i = 1; i < NSD_ROWS; i++) {
        const struct nsd_call_meaning *meaning = &nsd_call_meanings[i];

        if (meaning->number < NSD_GO_NUMBERS &&
            (meaning->watch == NSD_WATCH_DESCRIPTORS) == descriptors)
            atomic_store_explicit(&nsd_go_watch[meaning->number], watch_bits(meaning),
                                  memory_order_relaxed);
    }
}

void hook__begin(void) {
    watch(false);
}

void hook__watch_descriptors(void) {
    watch(true);
}

/* ---- what a meaning asks ---- */

static struct nsd_go_moment *moment_of(struct nsd_ongoing *ongoing) {
    return ongoing->caller;
}

static bool is_ours(struct nsd_ongoing *ongoing) {
    struct nsd_go_moment *moment = moment_of(ongoing);

    if (moment__is_vfork_child(moment->m) || !moment__begin(moment->call, moment))
        return false;
    ongoing->tid = moment->tid;
    return true;
}

static void describe(struct nsd_ongoing *ongoing) {
    moment__goroutine(moment_of(ongoing), &ongoing->event);
}

static void capture(struct nsd_ongoing *ongoing) {
    ongoing->event.frames = moment__stack(moment_of(ongoing));
}

static void began_as_copy(struct nsd_ongoing *ongoing) {
    moment__fork_child(moment_of(ongoing)->call);
}

/* A child that was killed, or is another program by now, may still hold a stack. */
static void child_is_gone(struct nsd_ongoing *ongoing) {
    const struct nsd_go_moment *moment = moment_of(ongoing);

    stackpool__reclaim(moment->m, moment->call->stack);
}

static bool is_within(const struct nsd_go_function *function, uint64_t pc) {
    return pc > function->entry && pc <= function->end;
}

/*
 * syscall.AllThreadsSyscall: one goroutine makes the call, and the runtime repeats it on every
 * other M: in a signal handler over whatever goroutine is there, up to 1.17 by a method that each M
 * calls when it wakes (runtime.mDoFixup). These functions make the call themselves, so they stand
 * at the top of the stack.
 */
static void announce_all_threads(struct nsd_ongoing *ongoing) {
    const struct nsd_frames *frames = ongoing->event.frames;
    struct nsd_event part;

    for (unsigned i = 0; frames != NULL && i < frames->depth && i < 3; i++) {
        if (!is_within(&nsd_go_runtime.function.do_all_threads, frames->frame[i].pc) &&
            !is_within(&nsd_go_runtime.function.run_per_thread, frames->frame[i].pc) &&
            !is_within(&nsd_go_runtime.function.all_threads_caller, frames->frame[i].pc))
            continue;
        submit__prepare(&part, NSD_CALL_ALL_THREADS, ongoing->tid);
        moment__goroutine(moment_of(ongoing), &part);
        submit__event(&part);
        return;
    }
}

static const struct nsd_entrance go_entrance = {
    .is_ours = is_ours,
    .describe = describe,
    .capture = capture,
    .began_as_copy = began_as_copy,
    .child_is_gone = child_is_gone,
    .switching = announce_all_threads,
};

/* ---- the trampolines' side ---- */

void hook__hand_over(enum nsd_row row, struct nsd_go_call *call, bool is_before) {
    struct nsd_go_moment moment;
    struct nsd_ongoing ongoing;

    moment__find_g(call);
    moment.call = call;
    moment.m = moment__m_of(call->g);
    stackpool__own(call->stack, moment.m);
    if (row != NSD_ROW_NONE) {
        calls__begin(&ongoing, row, &go_entrance, &moment, moment.m);
        ongoing.result = call->result;
        memory__copy(ongoing.argument, call->arguments, sizeof ongoing.argument);
        if (!is_before)
            calls__after(&ongoing);
        else if (calls__is_watched((enum nsd_watch) ongoing.meaning->watch))
            calls__before(&ongoing);
        memory__copy(call->arguments, ongoing.argument, sizeof ongoing.argument);
    }
    stackpool__disown(call->stack);
}

static enum nsd_row row_of(const struct nsd_go_call *call) {
    return call->number < NSD_GO_NUMBERS ? (enum nsd_row) nsd_row_of_number[call->number]
                                         : NSD_ROW_NONE;
}

void nsd_go_before(struct nsd_go_call *call) {
    call->result = 0;
    hook__hand_over(row_of(call), call, true);
}

void nsd_go_after(struct nsd_go_call *call) {
    hook__hand_over(row_of(call), call, false);
}
