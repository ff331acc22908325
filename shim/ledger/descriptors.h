/*
 * Open descriptors of namespaces, keyed by number: the label, and the thread that opened it. An
 * open descriptor keeps its namespace alive, and its opener tells a restore from a mistake. Called
 * by the ledger alone, under its lock.
 */
#ifndef NSD_LEDGER_DESCRIPTORS_H
#define NSD_LEDGER_DESCRIPTORS_H

#include "ledger/labels.h"
#include "ledger/table.h"

struct nsd_descriptor {
    UT_hash_handle hh;
    struct nsd_label *label; /* counted as open (label__open); NULL: not known */
    int32_t fd;
    int32_t opener;         /* tid of the thread that opened it, 0: unknown */
    uint32_t opener_serial; /* its serial: a tid may be used again */
    uint8_t path_owner;     /* enum nsd_path_owner */
};

struct nsd_descriptors {
    struct nsd_descriptor *table;
    uint32_t lost; /* descriptors without memory, or above the limit */
};

/* Notes `as` under its number, instead of an older one. Keeps a reference to its label. */
void descriptors__open(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                       const struct nsd_descriptor *as);
/* dup: number `to` gets what `from` has; if that is not known, `to` is forgotten. */
void descriptors__copy(struct nsd_descriptors *descriptors, struct nsd_labels *labels, int32_t from,
                       int32_t to);
/* Forgets the numbers first..last, both included. */
void descriptors__close(struct nsd_descriptors *descriptors, struct nsd_labels *labels,
                        uint64_t first, uint64_t last);
/* NULL: not known. */
struct nsd_descriptor *descriptors__find(struct nsd_descriptors *descriptors, uint64_t fd);
/* Forgets all. */
void descriptors__reset(struct nsd_descriptors *descriptors, struct nsd_labels *labels);

#endif
