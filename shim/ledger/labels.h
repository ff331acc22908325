/*
 * Namespace labels: the ledger's own name for one namespace, made when a thread is seen to enter a
 * new one, and never confused by the kernel, which gives a dead namespace's inode to the next at
 * once. Called by the ledger; findings and reports hold labels and read them. Under the ledger's
 * lock.
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
    uint32_t holders;             /* who points here, whatever for: keeps the label, nothing else */
    uint32_t threads;             /* live threads that are in it */
    uint32_t descriptors;         /* known descriptors that lead to it */
    uint8_t kind;                 /* enum nsd_kind */
    bool fresh;             /* the namespace was made with it: no older label can be the same */
    struct nsd_label *same; /* turned out to be this one; NULL: it is itself */
    struct nsd_label *next_inode, *next_id; /* same bucket */
};

#define NSD_LABEL_BUCKETS 512u

struct nsd_labels {
    struct nsd_label *by_inode[NSD_LABEL_BUCKETS];
    struct nsd_label *by_id[NSD_LABEL_BUCKETS];
    uint32_t last_number;
    uint32_t count;
};

/* A new label, held once for the caller. NULL without memory: then the namespace is not known. */
struct nsd_label *labels__mint(struct nsd_labels *labels, enum nsd_kind kind);
/*
 * The label that this identity leads to, not held; NULL if none. An id is unique and leads there
 * always; device and inode only while a live thread or a known descriptor keeps the namespace.
 */
struct nsd_label *labels__find(struct nsd_labels *labels, const struct nsd_identity *identity);
/* The same, or a new label with this identity; held once for the caller. */
struct nsd_label *labels__of(struct nsd_labels *labels, const struct nsd_identity *identity);
/*
 * The kernel says that `label` is this. False if it is known to be another namespace. If another
 * label, still in use, is known to be this, the two become one.
 */
bool labels__learn(struct nsd_labels *labels, struct nsd_label *label,
                   const struct nsd_identity *identity);

/* The short ones are in the header: a switch calls them some thirty times. */

/* What the label stands for by now; follows `same`. NULL for NULL. */
static inline struct nsd_label *label__real(const struct nsd_label *label) {
    while (label != NULL && label->same != NULL)
        label = label->same;
    return (struct nsd_label *) (uintptr_t) label;
}

/* What is known of its identity; NULL for NULL. */
static inline const struct nsd_identity *label__identity(const struct nsd_label *label) {
    return label == NULL ? NULL : &label__real(label)->identity;
}

static inline bool label__is_identified(const struct nsd_label *label) {
    const struct nsd_identity *identity = label__identity(label);

    return identity != NULL && (identity->inode != 0 || identity->id != 0);
}

/* Same namespace. Nothing is the same as an unknown one (NULL). */
static inline bool label__same(const struct nsd_label *a, const struct nsd_label *b) {
    return a != NULL && b != NULL && (a == b || label__real(a) == label__real(b));
}

/* NULL is ignored by all of these; label__hold returns its argument. */
static inline struct nsd_label *label__hold(struct nsd_label *label) {
    if (label != NULL)
        label->holders++;
    return label;
}

/* Of one that nobody holds any more: for labels__drop. */
void labels__give_back(struct nsd_labels *labels, struct nsd_label *label);

static inline void labels__drop(struct nsd_labels *labels, struct nsd_label *label) {
    if (label != NULL && --label->holders == 0)
        labels__give_back(labels, label);
}

/* A thread enters (holds it, too) and leaves; likewise a descriptor. */
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
