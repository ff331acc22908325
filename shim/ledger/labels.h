/*
 * Labels: the ledger's own names for namespaces. Four rounds of unshare and restore were measured
 * to get one and the same inode, because the kernel reuses it at once; so the ledger gives each
 * namespace a label of its own and compares labels:
 *
 *     unshare succeeds              a new label is minted; its inode is unknown and may stay so
 *     setns by a known descriptor   the label that the descriptor leads to
 *     setns by any other            the label with that identity, else a new one
 *     /proc or NS_GET_ID is asked   the answer is added to the label (labels__learn); if another
 *                                   label has it already, the two are merged
 *
 * An inode leads to a label only while a known thread or descriptor keeps the namespace alive; an
 * id of NS_GET_ID always does.
 *
 * A label is reference counted (label__hold, labels__drop). Called by the ledger; findings hold
 * labels and reports read them. Under the ledger's lock.
 */
#ifndef NSD_LEDGER_LABELS_H
#define NSD_LEDGER_LABELS_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_label {
    struct nsd_identity identity; /* id and inode 0 while unknown */
    uint32_t number;              /* 1, 2, 3 ... in this image */
    uint32_t holders;       /* reference count: keeps the record, says nothing of the kernel */
    uint32_t threads;       /* live threads that are in the namespace */
    uint32_t descriptors;   /* known descriptors that lead to it */
    uint8_t kind;           /* enum nsd_kind */
    bool fresh;             /* minted by an unshare or clone: no older label is this namespace */
    struct nsd_label *same; /* held: the label that this one was merged into; NULL: not merged */
    struct nsd_label *next_inode, *next_id; /* the next in the same bucket */
};

#define NSD_LABEL_BUCKETS 512u

struct nsd_labels {
    struct nsd_label *by_inode[NSD_LABEL_BUCKETS];
    struct nsd_label *by_id[NSD_LABEL_BUCKETS];
    uint32_t last_number;
    uint32_t count;
};

/* A new label, held once for the caller. NULL without memory; NULL stands for "not known". */
struct nsd_label *labels__mint(struct nsd_labels *labels, enum nsd_kind kind);
/* The label with this identity, not held; NULL if there is none (see above: inode and id). */
struct nsd_label *labels__find(struct nsd_labels *labels, const struct nsd_identity *identity);
/* The label with this identity, or a new one; held once for the caller. */
struct nsd_label *labels__of(struct nsd_labels *labels, const struct nsd_identity *identity);
/*
 * Adds to `label` what the kernel says of its namespace. False if that contradicts what is known of
 * the label, which is then left alone. If another label in use has the identity, both are merged.
 */
bool labels__learn(struct nsd_labels *labels, struct nsd_label *label,
                   const struct nsd_identity *identity);

/* The short functions are inline: one switch calls them some thirty times. */

/* The label that all merged ones lead to. NULL for NULL. */
static inline struct nsd_label *label__real(const struct nsd_label *label) {
    while (label != NULL && label->same != NULL)
        label = label->same;
    return (struct nsd_label *) (uintptr_t) label;
}

/* The known identity of the namespace; NULL for NULL. */
static inline const struct nsd_identity *label__identity(const struct nsd_label *label) {
    return label == NULL ? NULL : &label__real(label)->identity;
}

static inline bool label__is_identified(const struct nsd_label *label) {
    const struct nsd_identity *identity = label__identity(label);

    return identity != NULL && (identity->inode != 0 || identity->id != 0);
}

/* Whether both are known and one namespace. An unknown one (NULL) is the same as none. */
static inline bool label__same(const struct nsd_label *a, const struct nsd_label *b) {
    return a != NULL && b != NULL && (a == b || label__real(a) == label__real(b));
}

/* Holding and dropping a reference; both ignore NULL. label__hold returns its argument. */
static inline struct nsd_label *label__hold(struct nsd_label *label) {
    if (label != NULL)
        label->holders++;
    return label;
}

/* Frees a label whose last reference is gone; called by labels__drop alone. */
void labels__give_back(struct nsd_labels *labels, struct nsd_label *label);

static inline void labels__drop(struct nsd_labels *labels, struct nsd_label *label) {
    if (label != NULL && --label->holders == 0)
        labels__give_back(labels, label);
}

/*
 * A thread enters or leaves the namespace, or a descriptor of it is opened or closed. Each counts
 * and holds a reference, too; each ignores NULL and may be called with a merged label.
 */
static inline struct nsd_label *label__enter(struct nsd_label *label) {
    if (label != NULL)
        label__real(label)->threads++;
    return label__hold(label);
}

static inline void labels__leave(struct nsd_labels *labels, struct nsd_label *label) {
    if (label != NULL)
        label__real(label)->threads--;
    labels__drop(labels, label);
}

struct nsd_label *label__open(struct nsd_label *label);
void labels__close(struct nsd_labels *labels, struct nsd_label *label);

#endif
