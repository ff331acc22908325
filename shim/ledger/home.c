/*
 * Home, see home.h. It compares labels and no inodes, so that a new namespace with the inode of the
 * old home is not taken for it.
 */
#include "ledger/home.h"
#include <stddef.h>

static void put(struct nsd_labels *labels, struct nsd_label **slot, struct nsd_label *label) {
    struct nsd_label *old = *slot;

    if (old == label)
        return;
    *slot = label__hold(label);
    labels__drop(labels, old);
}

void home__begin(struct nsd_home *home, struct nsd_labels *labels, struct nsd_label **label) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        put(labels, &home->label[kind], label[kind]);
        put(labels, &home->current[kind], label[kind]);
    }
}

static unsigned find_former(const struct nsd_home *home, enum nsd_kind kind,
                            const struct nsd_label *label) {
    unsigned i = 0;

    while (i < home->former_count[kind] && !label__same(home->former[kind][i], label))
        i++;
    return i;
}

/* Forgets the former homes from index `from` on. */
static void cut_former(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                       unsigned from) {
    while (home->former_count[kind] > from)
        put(labels, &home->former[kind][--home->former_count[kind]], NULL);
}

static void push_former(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                        struct nsd_label *label) {
    struct nsd_label **former = home->former[kind];

    if (label == NULL || find_former(home, kind, label) < home->former_count[kind])
        return;
    /* Full: keep the first (where the image began) and the newest; forget the second. */
    if (home->former_count[kind] == NSD_FORMER_MOST) {
        for (unsigned i = 1; i + 1 < NSD_FORMER_MOST; i++)
            put(labels, &former[i], former[i + 1]);
        cut_former(home, labels, kind, NSD_FORMER_MOST - 1);
    }
    put(labels, &former[home->former_count[kind]++], label);
}

void home__move(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                struct nsd_label *to) {
    unsigned back = find_former(home, kind, to);

    if (back < home->former_count[kind])
        cut_former(home, labels, kind, back);
    else if (!label__same(home->label[kind], to))
        push_former(home, labels, kind, home->label[kind]);
    put(labels, &home->label[kind], to);
    put(labels, &home->current[kind], to);
}

void home__leader_entered(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                          struct nsd_label *here) {
    if (label__same(home->label[kind], here) ||
        find_former(home, kind, here) < home->former_count[kind])
        put(labels, &home->current[kind], here);
}

void home__move_all(struct nsd_home *home, struct nsd_labels *labels, enum nsd_kind kind,
                    struct nsd_label *to) {
    cut_former(home, labels, kind, 0);
    put(labels, &home->label[kind], to);
    put(labels, &home->current[kind], to);
}
