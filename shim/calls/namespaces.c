/*
 * The meanings of setns, unshare and socket. Before a switch the thread's own namespaces are made
 * known to the ledger; ask_descriptor() finds the namespace that a setns leads to. Called through
 * the rows of table.h, on host stacks, on hook stacks and in signal handlers: no libc, no wait.
 */
#include "calls/births.h"
#include "calls/meanings.h"
#include "host/identity.h"
#include "intake/observed.h"
#include "ledger/kinds.h"
#include <asm/errno.h>
#include <stddef.h>

#define FAMILY_UNIX 1

/*
 * Tells the ledger which namespaces the thread is in. Needed before the first switch, and again
 * after a switch to a namespace whose identity could not be read.
 */
static void look(const struct nsd_ongoing *ongoing, nsd_kinds kinds) {
    if (ongoing->entrance->may_call_libc)
        births__adopt(ongoing->tid);
    submit__observe(ongoing->tid, kinds);
}

static inline void observe(const struct nsd_ongoing *ongoing, nsd_kinds kinds) {
    if (!observed__has(ongoing->tid, kinds))
        look(ongoing, kinds);
}

/*
 * Finds the namespace that a setns leads to, by asking the kernel about its descriptor. The
 * wrappers of libc ask before the call, Go's trampolines after it, because they keep nothing across
 * it. The answers differ only if another thread closes the descriptor during the call; the first
 * one is right then. If the type argument is 0, Go asks before the call too: the kind must be known
 * to look up the namespace that the thread leaves. A pidfd leads to a process, not to one
 * namespace: after a success the thread's own links under /proc are read instead.
 */
static inline void ask_descriptor(struct nsd_ongoing *ongoing) {
    struct nsd_event *event = &ongoing->event;
    uint32_t type = (uint32_t) ongoing->argument[1];
    int answer = identity__of_descriptor((int) ongoing->argument[0], type, &event->identity[0]);

    if (answer == 0) {
        event->identities = 1;
        event->from_descriptor = true;
        event->kinds = NSD_KIND_BIT(event->identity[0].kind);
    } else {
        event->kinds = kinds__of_flags(type);
    }
    ongoing->kept.by_pidfd = answer == -ENOTTY && type != 0;
}

void calls__before_setns(struct nsd_ongoing *ongoing) {
    nsd_kinds kinds;

    if (ongoing->entrance->keeps) {
        if (!calls__prepare_whole(ongoing))
            return;
        ask_descriptor(ongoing);
        kinds = ongoing->event.kinds;
    } else {
        if (!calls__is_ours(ongoing))
            return;
        kinds = kinds__of_flags((uint32_t) ongoing->argument[1]);
        if (kinds == 0) {
            ask_descriptor(ongoing);
            kinds = ongoing->event.kinds;
        }
    }
    observe(ongoing, kinds);
}

static void hand_in_switch(struct nsd_ongoing *ongoing) {
    if (ongoing->entrance->switching != NULL)
        ongoing->entrance->switching(ongoing);
    calls__hand_in(ongoing);
}

/* Out of line: the entrances that keep their event have asked before the call. */
static __attribute__((noinline)) void ask_after_call(struct nsd_ongoing *ongoing) {
    ask_descriptor(ongoing);
}

void calls__after_setns(struct nsd_ongoing *ongoing) {
    if (!calls__has_event(ongoing))
        return;
    if (!ongoing->entrance->keeps)
        ask_after_call(ongoing);
    if (ongoing->kept.by_pidfd && ongoing->result >= 0)
        identity__fill(&ongoing->event, 0, ongoing->event.kinds);
    hand_in_switch(ongoing);
}

/*
 * A flag that is not in the table may change any kind. All kinds are then looked up before the
 * call; after it, the kinds in which kernel and ledger differ are those that it changed.
 */
static bool has_unknown_flags(const struct nsd_ongoing *ongoing) {
    return ((uint32_t) ongoing->argument[0] & ~(uint32_t) NSD_UNSHARE_FLAGS) != 0;
}

void calls__before_unshare(struct nsd_ongoing *ongoing) {
    nsd_kinds kinds = kinds__of_unshare((uint32_t) ongoing->argument[0]);

    calls__prepare_event(ongoing);
    if (!ongoing->is_prepared && (ongoing->entrance->keeps || !calls__is_ours(ongoing)))
        return;
    if (has_unknown_flags(ongoing))
        kinds = NSD_ALL_KINDS;
    observe(ongoing, (nsd_kinds) (kinds & NSD_ALL_KINDS));
}

void calls__after_unshare(struct nsd_ongoing *ongoing) {
    struct nsd_event *event = &ongoing->event;

    if (!calls__has_event(ongoing))
        return;
    event->kinds = kinds__of_unshare((uint32_t) ongoing->argument[0]);
    if (ongoing->result >= 0 && has_unknown_flags(ongoing)) {
        identity__fill(event, 0, NSD_ALL_KINDS);
        submit__add_changed(event);
    }
    hand_in_switch(ongoing);
}

/* A socket of any other family belongs to the caller's network namespace. */
static bool depends_on_net(const struct nsd_ongoing *ongoing) {
    return (uint32_t) ongoing->argument[0] != FAMILY_UNIX;
}

void calls__before_socket(struct nsd_ongoing *ongoing) {
    if (depends_on_net(ongoing))
        calls__prepare_event(ongoing);
}

void calls__after_socket(struct nsd_ongoing *ongoing) {
    if (depends_on_net(ongoing))
        calls__record(ongoing);
}
