/*
 * What a rule is made of, for the files of this room alone. A rule file defines one struct
 * nsd_rule, named nsd_rule_NAME after its row in NSD_RULE_TABLE (finding.h). rules.c calls its
 * functions; they get a scene, ask it (scene.c), fill a finding on their own stack (finding.c) and
 * add it (findings.c).
 */
#ifndef NSD_RULES_RULE_H
#define NSD_RULES_RULE_H

#include "ledger/dependence.h"
#include "rules/rules.h"

/* What a rule is given. */
struct nsd_scene {
    struct nsd_ledger *ledger;
    struct nsd_findings *findings;
    const struct nsd_event *event;   /* just applied; at a report: the call that occasions it */
    const struct nsd_change *change; /* what the event changed; NULL at a report */
    enum nsd_occasion occasion;      /* set at a report alone */
};

/* Sorts of events: a rule is called for the sorts that it names, and an event may be of several. */
enum {
    NSD_LOOK_THREADS = 1u, /* every call of a one-to-one thread */
    NSD_LOOK_GO = 2u,      /* every call of a goroutine, and each look at its lock state */
    NSD_LOOK_LIFE = 4u,    /* creation, birth, death of a thread; birth and death are LIFE alone */
    NSD_LOOK_PROCESS = 8u, /* fork, exec, exit and the like */
    NSD_LOOK_LOCK = 16u,   /* pin, unpin and the like */
    NSD_LOOK_MOUNT = 32u,  /* calls whose row in calls.h depends on mnt */
    NSD_LOOK_ALL = 63u,
};

/* One rule. Each function may be NULL. */
struct nsd_rule {
    /*
     * Called after an event of `thread`, which may be its death. Not called before a thread has
     * left home or got private fs attributes or files.
     */
    void (*on_event)(const struct nsd_scene *scene, struct nsd_thread *thread);
    unsigned looks_at; /* NSD_LOOK_... : the sorts of events that on_event is called for */
    /* Called at a report for each live thread that is away, and for the leader in any case. */
    void (*on_thread)(const struct nsd_scene *scene, struct nsd_thread *thread);
};

#define X(name, id) extern const struct nsd_rule nsd_rule_##name;
NSD_RULE_TABLE(X)
#undef X

/* ---- filling a finding (finding.c), on the rule's stack ---- */

/* Sets rule, severity, thread and time; no call and no stack yet. */
void finding__begin(struct nsd_finding *finding, enum nsd_rule_id rule, enum nsd_severity severity,
                    const struct nsd_scene *scene, const struct nsd_thread *thread);
/*
 * The same for a finding about a departure, with its message and remedy. False, and nothing is
 * filled, if the rule has found this of the departure at no lower severity. `departure` is not
 * NULL, but change->current can be NULL: check it first.
 */
bool finding__begin_about(struct nsd_finding *finding, enum nsd_rule_id rule,
                          enum nsd_severity severity, const struct nsd_scene *scene,
                          const struct nsd_thread *thread, const struct nsd_switch *departure,
                          nsd_words message, nsd_words remedy);
/* Takes call, stack and goroutine from an event, or from an event that a departure has kept. */
void finding__at_event(struct nsd_finding *finding, const struct nsd_event *event);
void finding__at_witness(struct nsd_finding *finding, const struct nsd_witness *witness);
/*
 * Sets the kinds, and for each the namespace before the departure (NULL: home), the one in which
 * the thread is now, and home.
 */
void finding__name_kinds(struct nsd_finding *finding, const struct nsd_scene *scene,
                         const struct nsd_thread *thread, const struct nsd_switch *departure,
                         nsd_kinds kinds);
/*
 * Adds another place; `what` is a literal, "switched here". Nothing is added if there is no room,
 * or if it is the finding's own place.
 */
void finding__relate(struct nsd_finding *finding, const char *what,
                     const struct nsd_witness *witness);
void finding__relate_event(struct nsd_finding *finding, const char *what,
                           const struct nsd_event *event);

/* ---- keeping findings (findings.c) ---- */

/*
 * Adds a copy of `finding`: as a finding of its own, or to the one about `departure` that is there.
 * If the same rule has been found at the same places, only the count grows. `departure` is NULL for
 * a finding that is about none.
 */
void findings__add(const struct nsd_scene *scene, const struct nsd_finding *finding,
                   struct nsd_switch *departure);
/* Whether the rule has found something about the departure, at no lower severity. */
bool findings__has_fired(const struct nsd_switch *departure, enum nsd_rule_id rule,
                         enum nsd_severity severity);
/* Takes back the rule's findings: an exec failed, so it has discarded nothing. */
void findings__withdraw(struct nsd_findings *findings, enum nsd_rule_id rule);

/* ---- questions of several rules (scene.c) ---- */

/* The thread's newest open departure that is no move of the whole process; NULL: none. */
struct nsd_switch *scene__switch_of(const struct nsd_thread *thread);
/* Kinds that the departure changed and in which the thread is still away. */
nsd_kinds scene__still_away(const struct nsd_scene *scene, const struct nsd_thread *thread,
                            const struct nsd_switch *departure);
/* A loop over the departures that concern an event: the thread's open ones, then the one closed. */
struct nsd_switch *scene__first_switch(const struct nsd_scene *scene, struct nsd_thread *thread);
struct nsd_switch *scene__next_switch(const struct nsd_scene *scene, struct nsd_switch *departure);

enum nsd_hold {
    NSD_HOLD_KEPT,     /* it still holds the thread, or the event does not tell */
    NSD_HOLD_UNLOCKED, /* it runs there and is not locked to the thread */
    NSD_HOLD_OTHER,    /* another goroutine runs there */
};
/* Go: whether the goroutine that opened the departure still holds the thread at this event. */
enum nsd_hold scene__hold(const struct nsd_switch *departure, const struct nsd_event *event);
/* Whether the call ends the image or asks for a report. */
bool scene__is_ending(const struct nsd_event *event);

#endif
