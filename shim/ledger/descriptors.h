/*
 * Descriptors that lead to namespaces, by number: which label, and whose eyes saw it opened. What
 * is open keeps a namespace alive, and where a descriptor comes from tells a restore from a
 * mistake. Called by the ledger alone, under its lock.
 */
#ifndef NSD_LEDGER_DESCRIPTORS_H
#define NSD_LEDGER_DESCRIPTORS_H

#include "ledger/labels.h"
#include "ledger/table.h"

struct nsd_descriptor {
    UT_hash_handle hh;
    struct nsd_label *label; /* open; NULL: not known */
    int32_t fd;
    int32_t opener;         /* tid of who opened it, 0 unknown */
    uint32_t opener_serial; /* a tid may be used again, this is not */
    uint8_t path_owner;     /* enum nsd_path_owner */
};

struct nsd_descriptors {
    struct nsd_descriptor *table;
    uint32_t lost; /* found no room */
};

/* Notes an open descriptor (takes the place of an older one); the label is held by it. */
void descriptors__open(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                       const struct nsd_descriptor *as);
/* The new number leads where the old one does, or to nothing that is known. */
void descriptors__copy(struct nsd_descriptors *descriptors, struct nsd_labels *labels, int32_t from,
                       int32_t to);
/* Both ends included. */
void descriptors__close(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                        uint64_t first, uint64_t last);
struct nsd_descriptor *descriptors__find(struct nsd_descriptors *descriptors, uint64_t fd);
void descriptors__reset(struct nsd_descriptors *descriptors, struct nsd_labels *labels);

#endif
