/*
 * Records of switches, see switches.h. They exist only while a thread is away (and a little longer
 * where a thread that was born meanwhile remembers one), so a host that stays at home pays nothing.
 */
#include "ledger/switches.h"
#include "base/arena.h"
#include "base/memory.h"
#include <stddef.h>

void witness__fill(struct nsd_witness *witness, const struct nsd_event *event, nsd_kinds kinds) {
    witness->frames = event->frames;
    witness->stack_pointer = event->stack_pointer;
    witness->time = event->time;
    __builtin_memcpy(witness->arguments, event->arguments, sizeof witness->arguments);
    witness->result = event->result;
    witness->goroutine = event->goroutine;
    witness->tid = event->tid;
    witness->call = event->call;
    witness->kinds = kinds;
}

void witness__keep(struct nsd_witness **slot, const struct nsd_event *event, nsd_kinds kinds) {
    if (event == NULL) {
        if (*slot != NULL)
            arena__give(*slot, sizeof **slot);
        *slot = NULL;
        return;
    }
    if (*slot == NULL)
        *slot = arena__take(sizeof **slot);
    if (*slot != NULL)
        witness__fill(*slot, event, kinds);
}

static struct nsd_switch **bucket_of(struct nsd_switches *switches, int64_t goroutine) {
    return &switches->by_goroutine[(uint64_t) goroutine % NSD_SWITCH_BUCKETS];
}

struct nsd_switch *switches__begin(struct nsd_switches *switches, const struct nsd_event *event,
                                   uint32_t serial) {
    struct nsd_switch *change = switches->spare;

    if (change != NULL)
        switches->spare = NULL;
    else
        change = arena__take(sizeof *change);
    if (change == NULL) {
        switches->lost++;
        return NULL;
    }
    witness__fill(&change->began, event, 0);
    change->id = ++switches->last_id;
    change->holders = 1; /* its being open, then its grave */
    change->serial = serial;
    change->runtime = event->runtime;
    change->lock = event->lock;
    change->lock_epoch = event->lock_epoch;
    change->is_open = true;
    change->next = switches->first;
    if (switches->first != NULL)
        switches->first->previous = change;
    switches->first = change;
    switches->open++;
    if (event->goroutine != 0) {
        struct nsd_switch **bucket = bucket_of(switches, event->goroutine);

        change->next_of_goroutine = *bucket;
        *bucket = change;
    }
    return change;
}

void switches__set_fresh_mnt(struct nsd_switches *switches, struct nsd_switch *change, bool fresh) {
    if (change->fresh_mnt == fresh)
        return;
    change->fresh_mnt = fresh;
    if (fresh)
        switches->unused_mnt++;
    else
        switches->unused_mnt--;
}

void switches__close(struct nsd_switches *switches, struct nsd_switch *change, bool home) {
    struct nsd_switch **link;

    if (!change->is_open)
        return;
    if (change->fresh_mnt)
        switches->unused_mnt--;
    change->is_open = false;
    change->ended_home = home;
    switches->open--;
    if (change->previous != NULL)
        change->previous->next = change->next;
    else
        switches->first = change->next;
    if (change->next != NULL)
        change->next->previous = change->previous;
    if (change->began.goroutine != 0) {
        link = bucket_of(switches, change->began.goroutine);
        while (*link != NULL && *link != change)
            link = &(*link)->next_of_goroutine;
        if (*link != NULL)
            *link = change->next_of_goroutine;
    }
    change->previous = NULL;
    change->next = switches->grave;
    switches->grave = change;
}

struct nsd_switch *switch__hold(struct nsd_switch *change) {
    if (change != NULL)
        change->holders++;
    return change;
}

static void let_go(struct nsd_labels *labels, struct nsd_switch *change) {
    FOR_EACH_KIND(kind, change->kinds) {
        labels__drop(labels, change->before[kind]);
    }
    if (change->failure != NULL)
        witness__keep(&change->failure, NULL, 0);
    if (change->sibling != NULL)
        witness__keep(&change->sibling, NULL, 0);
    if (change->elsewhere != NULL)
        witness__keep(&change->elsewhere, NULL, 0);
}

void switch__drop(struct nsd_labels *labels, struct nsd_switch *change) {
    if (change != NULL && --change->holders == 0) {
        let_go(labels, change);
        arena__give(change, sizeof *change);
    }
}

void switches__reset(struct nsd_switches *switches) {
    arena__give(switches->spare, sizeof *switches->spare);
    switches->spare = NULL;
}

void switches__clear_grave(struct nsd_switches *switches, struct nsd_labels *labels) {
    while (switches->grave != NULL) {
        struct nsd_switch *change = switches->grave;

        switches->grave = change->next;
        change->next = NULL;
        change->outer = NULL;
        if (change->holders == 1 && switches->spare == NULL) {
            let_go(labels, change);
            *change = (struct nsd_switch){0};
            switches->spare = change;
        } else {
            switch__drop(labels, change);
        }
    }
}

void switch__add_kind(struct nsd_switch *change, enum nsd_kind kind, struct nsd_label *before) {
    if ((change->kinds & NSD_KIND_BIT(kind)) != 0)
        return;
    change->kinds = (nsd_kinds) (change->kinds | NSD_KIND_BIT(kind));
    change->before[kind] = label__hold(before);
}

static struct nsd_switch *first_of(struct nsd_switch *change, int64_t goroutine) {
    while (change != NULL && change->began.goroutine != goroutine)
        change = change->next_of_goroutine;
    return change;
}

struct nsd_switch *switches__of_goroutine(struct nsd_switches *switches, int64_t goroutine) {
    return goroutine == 0 ? NULL : first_of(*bucket_of(switches, goroutine), goroutine);
}

struct nsd_switch *switch__next_of_goroutine(struct nsd_switch *change) {
    return first_of(change->next_of_goroutine, change->began.goroutine);
}
