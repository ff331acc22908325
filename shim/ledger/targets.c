/*
 * The namespaces that a setns or unshare leads to, see targets.h. An unshare leads to a new one.
 * For a setns the identity that the kernel gives for the descriptor decides; without one, what the
 * ledger knows of the descriptor's number; without both, a new label is taken.
 */
#include "ledger/targets.h"
#include <asm/errno.h>
#include <stddef.h>

static void set_target(struct nsd_targets *targets, enum nsd_kind kind, struct nsd_label *held) {
    targets->label[kind] = held;
    targets->kinds = (nsd_kinds) (targets->kinds | NSD_KIND_BIT(kind));
}

/* NULL after CLONE_FILES: the thread's numbers mean other files than those in the table. */
static struct nsd_descriptor *descriptor_of(struct nsd_ledger *ledger,
                                            const struct nsd_thread *thread, uint64_t fd) {
    if ((thread->marks & NSD_THREAD_PRIVATE_FILES) != 0)
        return NULL;
    return descriptors__find(&ledger->descriptors, fd & 0xffffffffu);
}

static void targets_by_identities(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                                  const struct nsd_event *event, struct nsd_targets *targets) {
    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        const struct nsd_identity *identity = &event->identity[i];
        struct nsd_descriptor *descriptor = NULL;
        uint64_t fd = event->arguments[0];

        if (identity->kind >= NSD_KINDS || (targets->kinds & NSD_KIND_BIT(identity->kind)) != 0)
            continue;
        if (event->from_descriptor)
            descriptor = descriptor_of(ledger, thread, fd);
        if (descriptor != NULL && descriptor->label != NULL &&
            (descriptor->label->kind != identity->kind ||
             !labels__learn(&ledger->labels, descriptor->label, identity))) {
            /* The number leads elsewhere than in the table: a close was not seen. */
            descriptors__close(&ledger->descriptors, &ledger->labels, fd & 0xffffffffu,
                               fd & 0xffffffffu);
            descriptor = NULL;
        }
        if (descriptor != NULL && descriptor->label != NULL)
            set_target(targets, identity->kind, label__hold(label__real(descriptor->label)));
        else
            set_target(targets, identity->kind, labels__of(&ledger->labels, identity));
        targets->descriptor = descriptor;
    }
}

static void setns_targets(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                          const struct nsd_event *event, struct nsd_targets *targets) {
    const struct nsd_descriptor *descriptor;

    if (event->identities > 0) {
        targets_by_identities(ledger, thread, event, targets);
        return;
    }
    descriptor = descriptor_of(ledger, thread, event->arguments[0]);
    if (descriptor != NULL && descriptor->label != NULL) {
        set_target(targets, descriptor->label->kind, label__hold(label__real(descriptor->label)));
        targets->descriptor = descriptor;
        return;
    }
    FOR_EACH_KIND(kind, event->kinds) {
        set_target(targets, kind, labels__mint(&ledger->labels, kind));
    }
}

static void unshare_targets(struct nsd_ledger *ledger, const struct nsd_event *event,
                            struct nsd_targets *targets) {
    nsd_kinds kinds = (nsd_kinds) (event->kinds | kinds__of_unshare(event->arguments[0]));

    FOR_EACH_KIND(kind, kinds) {
        struct nsd_label *label = labels__mint(&ledger->labels, kind);

        if (label != NULL)
            label->fresh = true;
        set_target(targets, kind, label);
    }
}

void targets__find(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                   const struct nsd_event *event, struct nsd_targets *targets) {
    targets->kinds = 0;
    targets->descriptor = NULL;
    if (event->call == NSD_CALL_SETNS)
        setns_targets(ledger, thread, event, targets);
    else
        unshare_targets(ledger, event, targets);
}

nsd_kinds targets__wanted_home(struct nsd_ledger *ledger, const struct nsd_thread *thread,
                               const struct nsd_switch *departure, const struct nsd_event *event) {
    nsd_kinds away = (nsd_kinds) (departure->kinds & ledger__away(ledger, thread));
    const struct nsd_descriptor *descriptor = descriptor_of(ledger, thread, event->arguments[0]);
    struct nsd_label *label = NULL;
    nsd_kinds kinds = 0;

    for (unsigned i = 0; i < event->identities && i < NSD_KINDS; i++) {
        const struct nsd_identity *identity = &event->identity[i];

        label = labels__find(&ledger->labels, identity);
        if (label != NULL && (label__same(label, departure->before[label->kind]) ||
                              !home__is_away(&ledger->home, label->kind, label)))
            kinds = (nsd_kinds) (kinds | NSD_KIND_BIT(label->kind));
    }
    if (event->identities > 0)
        return kinds & away;
    if (descriptor != NULL && descriptor->label != NULL && event->result != -EBADF) {
        label = descriptor->label;
        if (label__same(label, departure->before[label->kind]) ||
            !home__is_away(&ledger->home, label->kind, label))
            return NSD_KIND_BIT(label->kind) & away;
        return 0;
    }
    if (event->result != -EBADF && event->result != -EINVAL)
        return 0;
    kinds = event->kinds & NSD_ALL_KINDS;
    return kinds != 0 ? kinds & away : away;
}
