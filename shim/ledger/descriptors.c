/*
 * The table of descriptors, see descriptors.h. Bounded: of a descriptor above the limit the opener
 * is not known, and the rules that need it stay silent.
 */
#include "ledger/descriptors.h"
#include <stddef.h>

#define DESCRIPTORS_MOST 32768u

struct nsd_descriptor *descriptors__find(struct nsd_descriptors *descriptors, uint64_t fd) {
    struct nsd_descriptor *found = NULL;
    int32_t number = (int32_t) fd;

    if (fd > INT32_MAX)
        return NULL;
    HASH_FIND(hh, descriptors->table, &number, sizeof number, found);
    return found;
}

static void forget(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                   struct nsd_descriptor *descriptor) {
    HASH_DELETE(hh, descriptors->table, descriptor);
    labels__close(labels, descriptor->label);
    arena__give(descriptor, sizeof *descriptor);
}

void descriptors__open(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                       const struct nsd_descriptor *as) {
    struct nsd_descriptor *descriptor;
    struct nsd_label *label = label__open(as->label);

    descriptor = descriptors__find(descriptors, (uint64_t) as->fd);
    if (descriptor != NULL)
        forget(descriptors, labels, descriptor);
    descriptor =
        HASH_COUNT(descriptors->table) < DESCRIPTORS_MOST ? arena__take(sizeof *descriptor) : NULL;
    if (descriptor == NULL) {
        descriptors->lost++;
        labels__close(labels, label);
        return;
    }
    *descriptor = *as;
    descriptor->label = label;
    HASH_ADD(hh, descriptors->table, fd, sizeof descriptor->fd, descriptor);
    if (descriptor->hh.tbl == NULL) {
        descriptors->lost++;
        labels__close(labels, label);
        arena__give(descriptor, sizeof *descriptor);
    }
}

void descriptors__copy(struct nsd_descriptors *descriptors, struct nsd_labels *labels, int32_t from,
                       int32_t to) {
    const struct nsd_descriptor *source;
    struct nsd_descriptor copy;

    if (from == to)
        return;
    source = descriptors__find(descriptors, (uint64_t) (uint32_t) from);
    if (source == NULL) {
        descriptors__close(descriptors, labels, (uint64_t) (uint32_t) to, (uint64_t) (uint32_t) to);
        return;
    }
    copy = *source;
    copy.fd = to;
    descriptors__open(descriptors, labels, &copy);
}

void descriptors__close(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                        uint64_t first, uint64_t last) {
    struct nsd_descriptor *descriptor, *next;

    if (first == last) {
        descriptor = descriptors__find(descriptors, first);
        if (descriptor != NULL)
            forget(descriptors, labels, descriptor);
        return;
    }
    HASH_ITER(hh, descriptors->table, descriptor, next) {
        if ((uint64_t) descriptor->fd >= first && (uint64_t) descriptor->fd <= last)
            forget(descriptors, labels, descriptor);
    }
}

void descriptors__reset(struct nsd_descriptors *descriptors, struct nsd_labels *labels) {
    struct nsd_descriptor *descriptor, *next;

    HASH_ITER(hh, descriptors->table, descriptor, next) {
        forget(descriptors, labels, descriptor);
    }
    descriptors->table = NULL;
}
