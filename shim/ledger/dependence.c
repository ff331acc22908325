/*
 * Namespace-dependent calls, see dependence.h. A departure keeps the first witness of each pair:
 * that is the one that a report shows.
 */
#include "ledger/dependence.h"
#include <stddef.h>

#define MNT NSD_KIND_BIT(NSD_KIND_MNT)

nsd_kinds dependence__of(const struct nsd_event *event) {
    return (nsd_kinds) ((nsd_call_table[event->call].kinds | event->kinds) & NSD_ALL_KINDS);
}

/* The leader is away, and a thread that stayed at home works on: keeps that as `sibling`. */
static void note_for_leader(struct nsd_ledger *ledger, struct nsd_thread *thread,
                            const struct nsd_event *event, nsd_kinds kinds) {
    struct nsd_thread *leader = ledger->leader;
    nsd_kinds apart;

    if (leader == NULL || leader == thread || leader->switches == NULL || event->result < 0)
        return;
    apart = (nsd_kinds) (kinds & ledger__away(ledger, leader) & ~ledger__away(ledger, thread));
    for (struct nsd_switch *departure = leader->switches; departure != NULL && apart != 0;
         departure = departure->outer) {
        if (!departure->is_move && departure->sibling == NULL && (departure->kinds & apart) != 0)
            witness__keep(&departure->sibling, event, (nsd_kinds) (departure->kinds & apart));
    }
}

/* Whether the call has put a mount somewhere; the others of the family only change or remove. */
static bool places_a_mount(const struct nsd_event *event) {
    return event->result >= 0 &&
           (event->call == NSD_CALL_MOUNT || event->call == NSD_CALL_MOVE_MOUNT ||
            event->call == NSD_CALL_PIVOT_ROOT);
}

static void keep_mount(struct nsd_switch *departure, const struct nsd_thread *thread,
                       const struct nsd_event *event) {
    if (departure != NULL && departure->fresh_mnt && departure->elsewhere == NULL &&
        departure->serial != thread->serial && departure->runtime == NSD_RUNTIME_THREADS)
        witness__keep(&departure->elsewhere, event, MNT);
}

/* A mount at home: keeps it in each departure that made a mnt namespace and has not used it. */
static void note_for_unused(struct nsd_ledger *ledger, struct nsd_thread *thread,
                            const struct nsd_event *event) {
    if (!places_a_mount(event) || (ledger__away(ledger, thread) & MNT) != 0)
        return;
    for (unsigned i = 0; i < NSD_UNUSED_DEAD; i++)
        keep_mount(ledger->unused_dead[i], thread, event);
    if (ledger->switches.unused_mnt == 0)
        return;
    for (struct nsd_switch *departure = ledger->switches.first; departure != NULL;
         departure = departure->next)
        keep_mount(departure, thread, event);
}

void dependence__note(struct nsd_ledger *ledger, struct nsd_thread *thread,
                      const struct nsd_event *event, const struct nsd_change *change) {
    nsd_kinds kinds = dependence__of(event);

    if (kinds == 0 || ledger->switches.last_id == 0)
        return;
    if ((kinds & MNT) != 0) {
        for (struct nsd_switch *own = thread->switches; own != NULL; own = own->outer) {
            if (own == change->opened)
                continue;
            own->used_mnt = true;
            switches__set_fresh_mnt(&ledger->switches, own, false);
        }
        note_for_unused(ledger, thread, event);
    }
    note_for_leader(ledger, thread, event, kinds);
}

void dependence__note_idle_restore(struct nsd_ledger *ledger, struct nsd_thread *thread,
                                   const struct nsd_event *event,
                                   const struct nsd_descriptor *descriptor) {
    struct nsd_thread *opener;
    nsd_kinds kind;

    if (descriptor == NULL || descriptor->label == NULL || descriptor->opener == 0 ||
        descriptor->opener_serial == thread->serial || event->runtime != NSD_RUNTIME_THREADS)
        return;
    kind = NSD_KIND_BIT(descriptor->label->kind);
    opener = threads__find(&ledger->threads, descriptor->opener);
    if (opener == NULL || opener->serial != descriptor->opener_serial ||
        (ledger__away(ledger, opener) & kind) == 0 || (ledger__away(ledger, thread) & kind) != 0)
        return;
    for (struct nsd_switch *departure = opener->switches; departure != NULL;
         departure = departure->outer) {
        if (!departure->is_move && (departure->kinds & kind) != 0 && departure->elsewhere == NULL &&
            departure->runtime == NSD_RUNTIME_THREADS &&
            label__same(departure->before[descriptor->label->kind], descriptor->label))
            witness__keep(&departure->elsewhere, event, kind);
    }
}

void dependence__keep_unused(struct nsd_ledger *ledger, struct nsd_switch *departure) {
    struct nsd_switch **slot = &ledger->unused_dead[ledger->unused_dead_next % NSD_UNUSED_DEAD];

    if (!departure->fresh_mnt || departure->elsewhere != NULL ||
        departure->runtime != NSD_RUNTIME_THREADS)
        return;
    ledger->unused_dead_next++;
    switch__drop(&ledger->labels, *slot);
    *slot = switch__hold(departure);
}
