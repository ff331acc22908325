/*
 * Calls the rules: after an event those that look at its sort, at a report each for each thread
 * that is away. Called by the owner of the ledger's lock, see rules.h. It names no rule: the table
 * is built from NSD_RULE_TABLE.
 */
#include "rules/rules.h"
#include "rules/rule.h"
#include <stddef.h>

static const struct nsd_rule *const rules[NSD_RULES] = {
#define X(name, id) [NSD_RULE_##name] = &nsd_rule_##name,
    NSD_RULE_TABLE(X)
#undef X
};

_Static_assert(NSD_RULES <= 32, "a set of rules is a word of 32 bits");

/* For each set of sorts the rules that look at it, as bits; 0: not computed yet. */
static uint32_t rules_by_sort[NSD_LOOK_ALL + 1];

static uint32_t rules_for(unsigned sort) {
    uint32_t found = 0;

    if (rules_by_sort[sort] != 0)
        return rules_by_sort[sort];
    for (unsigned rule = 0; rule < NSD_RULES; rule++) {
        if ((rules[rule]->looks_at & sort) != 0)
            found |= 1u << rule;
    }
    rules_by_sort[sort] = found;
    return found;
}

/* The sorts (NSD_LOOK_...) of an event. */
static unsigned sort_of(const struct nsd_event *event) {
    unsigned sort = event->runtime == NSD_RUNTIME_GO ? NSD_LOOK_GO : NSD_LOOK_THREADS;

    if ((nsd_call_table[event->call].kinds & NSD_KIND_BIT(NSD_KIND_MNT)) != 0)
        sort |= NSD_LOOK_MOUNT;
    switch (nsd_call_table[event->call].effect) {
    case NSD_EFFECT_THREAD:
        return event->call == NSD_CALL_THREAD_BORN || event->call == NSD_CALL_THREAD_DIED
                   ? NSD_LOOK_LIFE
                   : sort | NSD_LOOK_LIFE;
    case NSD_EFFECT_PROCESS:
    case NSD_EFFECT_END:
        return sort | NSD_LOOK_PROCESS;
    case NSD_EFFECT_LOCK:
        return sort | NSD_LOOK_LOCK;
    default:
        return sort;
    }
}

void rules__on_event(struct nsd_ledger *ledger, struct nsd_findings *findings,
                     const struct nsd_event *event, const struct nsd_change *change) {
    struct nsd_scene scene = {
        .ledger = ledger, .findings = findings, .event = event, .change = change};
    uint32_t rest;

    /* No thread has ever left home: there is nothing to judge. */
    if (change->thread == NULL || (ledger->switches.last_id == 0 && change->made_private == 0))
        return;
    for (rest = rules_for(sort_of(event)); rest != 0; rest &= rest - 1)
        rules[__builtin_ctz(rest)]->on_event(&scene, change->thread);
}

void rules__on_report(struct nsd_ledger *ledger, struct nsd_findings *findings,
                      const struct nsd_event *event, enum nsd_occasion occasion) {
    struct nsd_scene scene = {
        .ledger = ledger, .findings = findings, .event = event, .occasion = occasion};

    for (struct nsd_thread *thread = ledger__first_thread(ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        if (!ledger__is_leader(ledger, thread) && ledger__away(ledger, thread) == 0)
            continue;
        for (unsigned rule = 0; rule < NSD_RULES; rule++) {
            if (rules[rule]->on_thread != NULL)
                rules[rule]->on_thread(&scene, thread);
        }
    }
}
