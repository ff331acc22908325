/*
 * Records of switches, see switches.h. A record exists while its thread is away, and longer where
 * a thread that was born meanwhile holds it: a host whose threads stay at home has none.
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
    struct nsd_switch *departure = switches->spare;

    if (departure != NULL)
        switches->spare = NULL;
    else
        departure = arena__take(sizeof *departure);
    if (departure == NULL) {
        switches->lost++;
        return NULL;
    }
    witness__fill(&departure->began, event, 0);
    departure->id = ++switches->last_id;
    departure->holders = 1; /* the list of open ones, then pending_free */
    departure->serial = serial;
    departure->runtime = event->runtime;
    departure->lock = event->lock;
    departure->lock_epoch = event->lock_epoch;
    departure->is_open = true;
    departure->next = switches->first;
    if (switches->first != NULL)
        switches->first->previous = departure;
    switches->first = departure;
    switches->open++;
    if (event->goroutine != 0) {
        struct nsd_switch **bucket = bucket_of(switches, event->goroutine);

        departure->next_of_goroutine = *bucket;
        *bucket = departure;
    }
    return departure;
}

void switches__set_fresh_mnt(struct nsd_switches *switches, struct nsd_switch *departure,
                             bool fresh) {
    if (departure->fresh_mnt == fresh)
        return;
    departure->fresh_mnt = fresh;
    if (fresh)
        switches->unused_mnt++;
    else
        switches->unused_mnt--;
}

void switches__close(struct nsd_switches *switches, struct nsd_switch *departure, bool home) {
    struct nsd_switch **link;

    if (!departure->is_open)
        return;
    if (departure->fresh_mnt)
        switches->unused_mnt--;
    departure->is_open = false;
    departure->ended_home = home;
    switches->open--;
    if (departure->previous != NULL)
        departure->previous->next = departure->next;
    else
        switches->first = departure->next;
    if (departure->next != NULL)
        departure->next->previous = departure->previous;
    if (departure->began.goroutine != 0) {
        link = bucket_of(switches, departure->began.goroutine);
        while (*link != NULL && *link != departure)
            link = &(*link)->next_of_goroutine;
        if (*link != NULL)
            *link = departure->next_of_goroutine;
    }
    departure->previous = NULL;
    departure->next = switches->pending_free;
    switches->pending_free = departure;
}

struct nsd_switch *switch__hold(struct nsd_switch *departure) {
    if (departure != NULL)
        departure->holders++;
    return departure;
}

static void release(struct nsd_labels *labels, struct nsd_switch *departure) {
    FOR_EACH_KIND(kind, departure->kinds) {
        labels__drop(labels, departure->before[kind]);
    }
    if (departure->failure != NULL)
        witness__keep(&departure->failure, NULL, 0);
    if (departure->sibling != NULL)
        witness__keep(&departure->sibling, NULL, 0);
    if (departure->elsewhere != NULL)
        witness__keep(&departure->elsewhere, NULL, 0);
}

void switch__drop(struct nsd_labels *labels, struct nsd_switch *departure) {
    if (departure != NULL && --departure->holders == 0) {
        release(labels, departure);
        arena__give(departure, sizeof *departure);
    }
}

void switches__reset(struct nsd_switches *switches) {
    arena__give(switches->spare, sizeof *switches->spare);
    switches->spare = NULL;
}

void switches__free_closed(struct nsd_switches *switches, struct nsd_labels *labels) {
    while (switches->pending_free != NULL) {
        struct nsd_switch *departure = switches->pending_free;

        switches->pending_free = departure->next;
        departure->next = NULL;
        departure->outer = NULL;
        if (departure->holders == 1 && switches->spare == NULL) {
            release(labels, departure);
            *departure = (struct nsd_switch){0};
            switches->spare = departure;
        } else {
            switch__drop(labels, departure);
        }
    }
}

void switch__add_kind(struct nsd_switch *departure, enum nsd_kind kind, struct nsd_label *before) {
    if ((departure->kinds & NSD_KIND_BIT(kind)) != 0)
        return;
    departure->kinds = (nsd_kinds) (departure->kinds | NSD_KIND_BIT(kind));
    departure->before[kind] = label__hold(before);
}

static struct nsd_switch *first_of(struct nsd_switch *departure, int64_t goroutine) {
    while (departure != NULL && departure->began.goroutine != goroutine)
        departure = departure->next_of_goroutine;
    return departure;
}

struct nsd_switch *switches__of_goroutine(struct nsd_switches *switches, int64_t goroutine) {
    return goroutine == 0 ? NULL : first_of(*bucket_of(switches, goroutine), goroutine);
}

struct nsd_switch *switch__next_of_goroutine(struct nsd_switch *departure) {
    return first_of(departure->next_of_goroutine, departure->began.goroutine);
}
