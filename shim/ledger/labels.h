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

bool label__is_identified(const struct nsd_label *label);
/* Same namespace. Nothing is the same as an unknown one (NULL). */
bool label__same(const struct nsd_label *a, const struct nsd_label *b);
/* What the label stands for by now; follows `same`. NULL for NULL. */
struct nsd_label *label__real(struct nsd_label *label);
/* What is known of its identity; NULL for NULL. */
const struct nsd_identity *label__identity(const struct nsd_label *label);

/* NULL is ignored by all of these; label__hold returns its argument. */
struct nsd_label *label__hold(struct nsd_label *label);
void labels__drop(struct nsd_labels *labels, struct nsd_label *label);
/* A thread enters (holds it, too) and leaves; likewise a descriptor. */
struct nsd_label *label__enter(struct nsd_label *label);
void labels__leave(struct nsd_labels *labels, struct nsd_label *label);
struct nsd_label *label__open(struct nsd_label *label);
void labels__close(struct nsd_labels *labels, struct nsd_label *label);

#endif
