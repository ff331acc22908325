/*
 * The list of findings of an image. Example, one departure of an unlocked goroutine:
 *
 *     findings__add(unlocked-switch)  appended: the departure's finding
 *     findings__add(split-sequence)   a later row of the table: becomes its consequence
 *     findings__add(unlocked-switch)  from another departure at the same places: count = 2
 *
 * If the row of a new finding is earlier than that of the departure's finding, the new one takes
 * its place, and the old one becomes a consequence. The list is bounded: a finding for which there
 * is no room counts for the one of the same rule that is nearest to it, by the innermost frames of
 * their stacks. Called by the rules under the ledger's lock.
 */
#include "base/arena.h"
#include "rules/rule.h"
#include <stddef.h>

#define FINDINGS_MOST 256u
#define CONSEQUENCES_MOST 16u /* of one finding */
#define CONSEQUENCES_IN_ALL 1024u

/* ---- copies ---- */

static void hold_labels(struct nsd_finding *finding) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        label__hold(finding->before[kind]);
        label__hold(finding->after[kind]);
        label__hold(finding->home[kind]);
    }
}

static void give_back(struct nsd_ledger *ledger, struct nsd_finding *finding) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        labels__drop(&ledger->labels, finding->before[kind]);
        labels__drop(&ledger->labels, finding->after[kind]);
        labels__drop(&ledger->labels, finding->home[kind]);
    }
    arena__give(finding, sizeof *finding);
}

static struct nsd_finding *keep_copy(const struct nsd_finding *finding) {
    struct nsd_finding *copy = arena__take(sizeof *copy);

    if (copy == NULL)
        return NULL;
    *copy = *finding;
    copy->next = copy->consequences = NULL;
    hold_labels(copy);
    return copy;
}

void rules__reset(struct nsd_ledger *ledger, struct nsd_findings *findings) {
    while (findings->first != NULL) {
        struct nsd_finding *finding = findings->first;

        findings->first = finding->next;
        while (finding->consequences != NULL) {
            struct nsd_finding *then = finding->consequences;

            finding->consequences = then->next;
            give_back(ledger, then);
        }
        give_back(ledger, finding);
    }
    *findings = (struct nsd_findings){0};
}

void findings__mend(struct nsd_findings *findings) {
    findings->count = findings->consequences = 0;
    findings->last = NULL;
    for (struct nsd_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        struct nsd_finding **link = &finding->consequences;

        findings->last = finding;
        if (++findings->count == FINDINGS_MOST)
            finding->next = NULL;
        for (unsigned i = 0; *link != NULL && i < CONSEQUENCES_MOST; i++, link = &(*link)->next)
            findings->consequences++;
        *link = NULL;
    }
    findings->changes++;
}

/* ---- comparing findings ---- */

static bool same_frames(const struct nsd_frames *a, const struct nsd_frames *b) {
    return a == b || (a != NULL && b != NULL && a->hash == b->hash);
}

static bool same_places(const struct nsd_finding *a, const struct nsd_finding *b) {
    return a->rule == b->rule && same_frames(a->frames, b->frames) &&
           same_frames(a->switch_frames, b->switch_frames);
}

/* Consequences of one finding are the same if rule and stack are, whatever their messages. */
static bool same_consequence(const struct nsd_finding *a, const struct nsd_finding *b) {
    return a->rule == b->rule && same_frames(a->frames, b->frames);
}

/*
 * Of two findings about one departure: whether `a` is the finding and `b` its consequence. The
 * earlier row of the table is nearer to the cause. But a note never has a warning as its
 * consequence, and a withdrawn finding has none.
 */
static bool is_nearer_cause(const struct nsd_finding *a, const struct nsd_finding *b) {
    bool a_counts = a->severity > NSD_SEVERITY_NOTE, b_counts = b->severity > NSD_SEVERITY_NOTE;

    if (a->withdrawn != b->withdrawn)
        return b->withdrawn;
    if (a_counts != b_counts)
        return a_counts;
    return a->rule < b->rule;
}

static struct nsd_finding *find_same(const struct nsd_findings *findings,
                                     const struct nsd_finding *finding) {
    struct nsd_finding *known = findings->first;

    while (known != NULL && !same_places(known, finding))
        known = known->next;
    return known;
}

/* How many frames the two stacks have in common, from the call outwards. */
static unsigned frames_in_common(const struct nsd_frames *a, const struct nsd_frames *b) {
    unsigned count = 0;

    if (a == NULL || b == NULL)
        return 0;
    while (count < a->depth && count < b->depth && a->frame[count].pc == b->frame[count].pc)
        count++;
    return count;
}

/* The finding of the same rule whose stack is the most similar; NULL if none has the same call. */
static struct nsd_finding *find_nearest(const struct nsd_findings *findings,
                                        const struct nsd_finding *finding) {
    struct nsd_finding *nearest = NULL;
    unsigned most = 0;

    for (struct nsd_finding *known = findings->first; known != NULL; known = known->next) {
        unsigned common =
            known->rule == finding->rule ? frames_in_common(known->frames, finding->frames) : 0;

        if (common > most) {
            most = common;
            nearest = known;
        }
    }
    return nearest;
}

/* ---- the list ---- */

static struct nsd_finding *append(struct nsd_findings *findings,
                                  const struct nsd_finding *finding) {
    struct nsd_finding *kept;

    if (findings->count >= FINDINGS_MOST || (kept = keep_copy(finding)) == NULL) {
        findings->lost++;
        return NULL;
    }
    findings->count++;
    if (findings->last != NULL)
        findings->last->next = kept;
    else
        findings->first = kept;
    findings->last = kept;
    return kept;
}

static void unlink_finding(struct nsd_findings *findings, struct nsd_finding *finding) {
    struct nsd_finding **link = &findings->first, *previous = NULL;

    while (*link != NULL && *link != finding) {
        previous = *link;
        link = &previous->next;
    }
    if (*link == NULL)
        return;
    *link = finding->next;
    if (findings->last == finding)
        findings->last = previous;
    finding->next = NULL;
    findings->count--;
}

static void raise_severity(struct nsd_finding *known, const struct nsd_finding *finding) {
    if (finding->severity > known->severity) {
        known->severity = finding->severity;
        known->message = finding->message;
        known->remedy = finding->remedy;
    }
    known->withdrawn = false;
}

/* Makes `kept`, a copy, a consequence of `primary`; frees it if that has the same or is full. */
static void add_consequence(const struct nsd_scene *scene, struct nsd_finding *primary,
                            struct nsd_finding *kept) {
    struct nsd_findings *findings = scene->findings;
    struct nsd_finding **link = &primary->consequences;
    unsigned count = 0;

    kept->next = NULL;
    for (; *link != NULL; link = &(*link)->next, count++) {
        if (same_consequence(*link, kept)) {
            raise_severity(*link, kept);
            give_back(scene->ledger, kept);
            return;
        }
    }
    if (count == CONSEQUENCES_MOST || findings->consequences == CONSEQUENCES_IN_ALL) {
        findings->lost++;
        give_back(scene->ledger, kept);
        return;
    }
    findings->consequences++;
    *link = kept;
}

static void copy_as_consequence(const struct nsd_scene *scene, struct nsd_finding *primary,
                                const struct nsd_finding *finding) {
    struct nsd_finding *kept = keep_copy(finding);

    if (kept == NULL) {
        scene->findings->lost++;
        return;
    }
    add_consequence(scene, primary, kept);
}

/* Puts `finding` in the place of the departure's finding, which becomes its consequence. */
static void replace_primary(const struct nsd_scene *scene, const struct nsd_finding *finding,
                            struct nsd_switch *departure) {
    struct nsd_finding *old = departure->finding, *then;
    struct nsd_finding *primary = find_same(scene->findings, finding);

    if (primary == old)
        primary = NULL;
    if (primary != NULL) {
        primary->count++;
        raise_severity(primary, finding);
    } else {
        primary = append(scene->findings, finding);
    }
    if (primary == NULL)
        return;
    departure->finding = primary;
    if (old->count > 1) {
        /* Other departures have this finding, too: it stays in the list, and a copy follows. */
        old->count--;
        copy_as_consequence(scene, primary, old);
        return;
    }
    then = old->consequences;
    old->consequences = NULL;
    unlink_finding(scene->findings, old);
    if (same_consequence(old, primary))
        give_back(scene->ledger, old);
    else
        add_consequence(scene, primary, old);
    while (then != NULL) {
        struct nsd_finding *next = then->next;

        scene->findings->consequences--;
        if (same_consequence(then, primary))
            give_back(scene->ledger, then);
        else
            add_consequence(scene, primary, then);
        then = next;
    }
}

static unsigned fired_shift(enum nsd_rule_id rule) {
    return 2u * (unsigned) rule;
}

_Static_assert(2 * NSD_RULES <= 64, "nsd_switch.fired has two bits for each rule");

bool findings__has_fired(const struct nsd_switch *departure, enum nsd_rule_id rule,
                         enum nsd_severity severity) {
    return ((departure->fired >> fired_shift(rule)) & 3u) > (unsigned) severity;
}

static void set_fired(struct nsd_switch *departure, const struct nsd_finding *finding) {
    if (findings__has_fired(departure, finding->rule, finding->severity))
        return;
    departure->fired &= ~((uint64_t) 3 << fired_shift(finding->rule));
    departure->fired |= ((uint64_t) finding->severity + 1) << fired_shift(finding->rule);
}

void findings__add(const struct nsd_scene *scene, const struct nsd_finding *given,
                   struct nsd_switch *departure) {
    struct nsd_finding copy = *given, *finding = &copy, *known;

    scene->findings->changes++;
    if (departure != NULL) {
        finding->switch_id = departure->id;
        if (!same_frames(finding->frames, departure->began.frames))
            finding->switch_frames = departure->began.frames;
        set_fired(departure, finding);
    }
    known = departure != NULL ? departure->finding : NULL;
    if (known == NULL) {
        known = find_same(scene->findings, finding);
        if (known == NULL && scene->findings->count >= FINDINGS_MOST)
            known = find_nearest(scene->findings, finding);
        if (known != NULL) {
            known->count++;
            raise_severity(known, finding);
        } else {
            known = append(scene->findings, finding);
        }
        if (departure != NULL)
            departure->finding = known;
        return;
    }
    if (same_places(known, finding)) {
        raise_severity(known, finding);
        return;
    }
    if (is_nearer_cause(finding, known))
        replace_primary(scene, finding, departure);
    else
        copy_as_consequence(scene, known, finding);
}

/* ---- withdrawing ---- */

/* All but the links. */
static void swap_contents(struct nsd_finding *a, struct nsd_finding *b) {
    struct nsd_finding saved = *a;

    *a = *b;
    *b = saved;
    b->next = a->next;
    b->consequences = a->consequences;
    a->next = saved.next;
    a->consequences = saved.consequences;
}

/* `finding` was withdrawn: its consequence nearest to the cause takes its place in the list. */
static void promote_consequence(struct nsd_finding *finding) {
    struct nsd_finding *best = NULL;
    uint32_t count = finding->count;
    bool printed = finding->printed;

    for (struct nsd_finding *then = finding->consequences; then != NULL; then = then->next) {
        if (!then->withdrawn && (best == NULL || is_nearer_cause(then, best)))
            best = then;
    }
    if (best == NULL)
        return;
    swap_contents(finding, best);
    finding->count = count;
    finding->printed = printed;
}

void findings__withdraw(struct nsd_findings *findings, enum nsd_rule_id rule) {
    findings->changes++;
    for (struct nsd_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        for (struct nsd_finding *then = finding->consequences; then != NULL; then = then->next) {
            if (then->rule == rule)
                then->withdrawn = true;
        }
        if (finding->rule == rule) {
            finding->withdrawn = true;
            promote_consequence(finding);
        }
    }
}
