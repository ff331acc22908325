/*
 * Events that open, copy and close descriptors of namespaces, see opening.h.
 */
#include "ledger/opening.h"
#include <stddef.h>

/* The thread whose namespace the path leads to; NULL if no thread of this process. */
static struct nsd_thread *owner_of_path(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                        const struct nsd_event *event) {
    switch (event->path_owner) {
    case NSD_PATH_SELF:
        return ledger->leader;
    case NSD_PATH_THREAD_SELF:
        return thread;
    case NSD_PATH_TASK:
    case NSD_PATH_PID:
        return threads__find(&ledger->threads, event->other_tid);
    default:
        return NULL;
    }
}

/*
 * The kind that setns changes with a descriptor of this kind. /proc/TID/ns/pid is the namespace
 * that the thread is in, but setns by it changes pid_for_children; time likewise.
 */
static unsigned kind_by_setns(unsigned kind) {
    switch (kind) {
    case NSD_KIND_PID:
        return NSD_KIND_PID_FOR_CHILDREN;
    case NSD_KIND_TIME:
        return NSD_KIND_TIME_FOR_CHILDREN;
    default:
        return kind;
    }
}

/* The namespace of an opened descriptor, held for the caller. NULL: not known. */
static struct nsd_label *label_of_opened(struct nsd_ledger *ledger, struct nsd_thread *owner,
                                         const struct nsd_event *event, unsigned kind) {
    struct nsd_identity identity = {.kind = kind_by_setns(kind)};

    if (event->identities > 0 && kind_by_setns(event->identity[0].kind) == identity.kind) {
        identity = event->identity[0];
        identity.kind = kind_by_setns(kind);
    }
    /* The path names `owner`; an identity of the descriptor itself overrules that. */
    if (owner != NULL && identity.kind == kind &&
        labels__learn(&ledger->labels, owner->label[kind], &identity))
        return label__hold(label__real(owner->label[kind]));
    return identity.inode != 0 || identity.id != 0 ? labels__of(&ledger->labels, &identity) : NULL;
}

static void open_descriptor(struct nsd_ledger *ledger, struct nsd_thread *thread,
                            const struct nsd_event *event) {
    nsd_kinds kinds = event->kinds & NSD_ALL_KINDS;
    struct nsd_descriptor descriptor = {
        .fd = (int32_t) event->result,
        .opener = thread->tid,
        .opener_serial = thread->serial,
        .path_owner = event->path_owner,
    };
    unsigned kind = 0;

    if (event->result < 0 || kinds == 0 || (kinds & (kinds - 1)) != 0)
        return;
    while ((kinds & NSD_KIND_BIT(kind)) == 0)
        kind++;
    descriptor.label = label_of_opened(ledger, owner_of_path(ledger, thread, event), event, kind);
    descriptors__open(&ledger->descriptors, &ledger->labels, &descriptor);
    labels__drop(&ledger->labels, descriptor.label);
}

void opening__apply(struct nsd_ledger *ledger, struct nsd_thread *thread,
                    const struct nsd_event *event) {
    uint64_t first = event->arguments[0], last = event->arguments[1];

    if ((thread->marks & NSD_THREAD_PRIVATE_FILES) != 0)
        return;
    switch (event->call) {
    case NSD_CALL_OPEN:
        open_descriptor(ledger, thread, event);
        break;
    case NSD_CALL_DUP:
        if (event->result >= 0)
            descriptors__copy(&ledger->descriptors, &ledger->labels, (int32_t) first,
                              (int32_t) event->result);
        break;
    case NSD_CALL_CLOSE:
        /*
         * close_range has its last number in the second argument, close has 0. The result does not
         * matter: after EBADF the number is not open either.
         */
        descriptors__close(&ledger->descriptors, &ledger->labels, first,
                           last > first ? last : first);
        break;
    default:
        break;
    }
}
