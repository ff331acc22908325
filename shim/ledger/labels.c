/*
 * Labels of namespaces, see labels.h. A label may outlive its namespace, because findings hold it:
 * only its counts of threads and descriptors say that the kernel still has the namespace.
 */
#include "ledger/labels.h"
#include "base/arena.h"
#include <stddef.h>

static unsigned bucket_of(uint64_t number) {
    return (unsigned) ((number * 0x9e3779b97f4a7c15ull) >> 40) % NSD_LABEL_BUCKETS;
}

static bool is_in_use(const struct nsd_label *label) {
    return label->threads > 0 || label->descriptors > 0;
}

/* An identity read from a link in /proc has no device. There is one nsfs, so the inode decides. */
static bool same_inode(const struct nsd_identity *a, const struct nsd_identity *b) {
    return a->inode == b->inode && (a->device == b->device || a->device == 0 || b->device == 0);
}

static bool contradicts(const struct nsd_identity *known, const struct nsd_identity *said) {
    if (known->id != 0 && said->id != 0)
        return known->id != said->id;
    return known->inode != 0 && said->inode != 0 && !same_inode(known, said);
}

static void link_inode(struct nsd_labels *labels, struct nsd_label *label) {
    struct nsd_label **bucket = &labels->by_inode[bucket_of(label->identity.inode)];

    label->next_inode = *bucket;
    *bucket = label;
}

static void link_id(struct nsd_labels *labels, struct nsd_label *label) {
    struct nsd_label **bucket = &labels->by_id[bucket_of(label->identity.id)];

    label->next_id = *bucket;
    *bucket = label;
}

static void unlink_label(struct nsd_labels *labels, struct nsd_label *label) {
    struct nsd_label **link = &labels->by_inode[bucket_of(label->identity.inode)];

    while (*link != NULL && *link != label)
        link = &(*link)->next_inode;
    if (*link != NULL)
        *link = label->next_inode;
    link = &labels->by_id[bucket_of(label->identity.id)];
    while (*link != NULL && *link != label)
        link = &(*link)->next_id;
    if (*link != NULL)
        *link = label->next_id;
}

struct nsd_label *labels__mint(struct nsd_labels *labels, enum nsd_kind kind) {
    struct nsd_label *label = arena__take(sizeof *label);

    if (label == NULL)
        return NULL;
    label->kind = (uint8_t) kind;
    label->number = ++labels->last_number;
    label->holders = 1;
    labels->count++;
    return label;
}

void labels__give_back(struct nsd_labels *labels, struct nsd_label *label) {
    do {
        struct nsd_label *same = label->same;

        unlink_label(labels, label);
        arena__give(label, sizeof *label);
        labels->count--;
        label = same;
    } while (label != NULL && --label->holders == 0);
}

struct nsd_label *label__open(struct nsd_label *label) {
    if (label != NULL)
        label__real(label)->descriptors++;
    return label__hold(label);
}

void labels__close(struct nsd_labels *labels, struct nsd_label *label) {
    if (label != NULL)
        label__real(label)->descriptors--;
    labels__drop(labels, label);
}

struct nsd_label *labels__find(struct nsd_labels *labels, const struct nsd_identity *identity) {
    struct nsd_label *label;

    if (identity->id != 0) {
        for (label = labels->by_id[bucket_of(identity->id)]; label != NULL; label = label->next_id)
            if (label->identity.id == identity->id && label->kind == identity->kind)
                return label__real(label);
    }
    if (identity->inode == 0)
        return NULL;
    for (label = labels->by_inode[bucket_of(identity->inode)]; label != NULL;
         label = label->next_inode) {
        if (label->same == NULL && label->kind == identity->kind && is_in_use(label) &&
            same_inode(&label->identity, identity) && !contradicts(&label->identity, identity))
            return label;
    }
    return NULL;
}

/* Adds what `said` knows and the label does not; the caller has checked contradicts(). */
static void add_identity(struct nsd_labels *labels, struct nsd_label *label,
                         const struct nsd_identity *said) {
    struct nsd_identity *known = &label->identity;

    if (known->inode == 0 && said->inode != 0) {
        known->inode = said->inode;
        known->device = said->device;
        link_inode(labels, label);
    }
    if (known->device == 0)
        known->device = said->device;
    if (known->id == 0 && said->id != 0) {
        known->id = said->id;
        link_id(labels, label);
    }
    known->kind = label->kind;
}

/* Merges `label` into `into`. Pointers to `label` stay valid: label__real() follows `same`. */
static void merge(struct nsd_label *label, struct nsd_label *into) {
    into->threads += label->threads;
    into->descriptors += label->descriptors;
    label->threads = label->descriptors = 0;
    label->same = label__hold(into);
}

/* What was learned once has been compared with the other labels then. */
static bool is_known(const struct nsd_identity *known, const struct nsd_identity *said) {
    return known->inode == said->inode && known->device == said->device &&
           (said->id == 0 || known->id == said->id);
}

bool labels__learn(struct nsd_labels *labels, struct nsd_label *label,
                   const struct nsd_identity *identity) {
    struct nsd_label *known;

    label = label__real(label);
    if (label == NULL)
        return false;
    if (is_known(&label->identity, identity))
        return true;
    if (contradicts(&label->identity, identity))
        return false;
    known = labels__find(labels, identity);
    /*
     * A fresh namespace cannot be an older one. The older one with this inode must be dead: the
     * descriptor that seems to keep it was closed by a call that we did not see.
     */
    if (known != NULL && label->fresh && known->number < label->number)
        known = NULL;
    if (known != NULL && known != label && !contradicts(&known->identity, &label->identity)) {
        add_identity(labels, known, identity);
        merge(label, known);
        return true;
    }
    add_identity(labels, label, identity);
    return true;
}

struct nsd_label *labels__of(struct nsd_labels *labels, const struct nsd_identity *identity) {
    struct nsd_label *label = labels__find(labels, identity);

    if (label != NULL) {
        add_identity(labels, label, identity);
        return label__hold(label);
    }
    label = labels__mint(labels, (enum nsd_kind) identity->kind);
    if (label != NULL)
        add_identity(labels, label, identity);
    return label;
}
