/*
 * What one rule is to the others: a file with one `struct nsd_rule` in it, found through the row of
 * NSD_RULE_TABLE that has its name. Read by rules.c and by the rules' own files alone.
 */
#ifndef NSD_RULES_RULE_H
#define NSD_RULES_RULE_H

#include "ledger/dependence.h"
#include "rules/rules.h"

/* What a rule looks at. */
struct nsd_scene {
    struct nsd_ledger *ledger;
    struct nsd_findings *findings;
    const struct nsd_event *event;   /* just applied; at a report: the call that occasions it */
    const struct nsd_change *change; /* NULL at a report */
    enum nsd_occasion occasion;      /* at a report */
};

/* Sorts of events, for rules to say which they want to be shown. */
enum {
    NSD_LOOK_THREADS = 1u, /* what a one-to-one thread does itself */
    NSD_LOOK_GO = 2u,      /* what a goroutine does, and what is seen of it */
    NSD_LOOK_LIFE = 4u,    /* creation, birth and death, of both */
    NSD_LOOK_PROCESS = 8u, /* fork, exec, exit and the like, besides the first two */
    NSD_LOOK_LOCK = 16u,   /* pin, unpin and the like, besides the first two */
    NSD_LOOK_MOUNT = 32u,  /* any call that by its kind depends on mnt, besides the others */
    NSD_LOOK_ALL = 63u,
};

/* Each function may be NULL. */
struct nsd_rule {
    /* After an event of `thread`, which may be the end of it. Not before anything ever switched. */
    void (*on_event)(const struct nsd_scene *scene, struct nsd_thread *thread);
    unsigned looks_at; /* NSD_LOOK_..., for on_event */
    /* At a report, for each live thread that is not at home, and for the leader in any case. */
    void (*on_thread)(const struct nsd_scene *scene, struct nsd_thread *thread);
};

#define X(name, id) extern const struct nsd_rule nsd_rule_##name;
NSD_RULE_TABLE(X)
#undef X

/* ---- making a finding (finding.c): on the rule's stack, then findings__add ---- */

/* Who and when, of this thread; no call, no stack yet. */
void finding__begin(struct nsd_finding *finding, enum nsd_rule_id rule, enum nsd_severity severity,
                    const struct nsd_scene *scene, const struct nsd_thread *thread);
/* The same about a switch, in these words; false where the rule has said as much of it already. */
bool finding__begin_about(struct nsd_finding *finding, enum nsd_rule_id rule,
                          enum nsd_severity severity, const struct nsd_scene *scene,
                          const struct nsd_thread *thread, const struct nsd_switch *departure,
                          nsd_words message, nsd_words remedy);
/* Its call, stack and goroutine are those of... */
void finding__at_event(struct nsd_finding *finding, const struct nsd_event *event);
void finding__at_witness(struct nsd_finding *finding, const struct nsd_witness *witness);
/* Which kinds, and for them: where the thread was at the switch, is now, and should be. */
void finding__name_kinds(struct nsd_finding *finding, const struct nsd_scene *scene,
                         const struct nsd_thread *thread, const struct nsd_switch *departure,
                         nsd_kinds kinds);
/* Another place that belongs to it. Nothing if there is no room, or if it is the primary one. */
void finding__relate(struct nsd_finding *finding, const char *what,
                     const struct nsd_witness *witness);
void finding__relate_event(struct nsd_finding *finding, const char *what,
                           const struct nsd_event *event);

/* ---- keeping it (findings.c) ---- */

/*
 * Keeps a copy, by itself or with what is already found of the switch; the same rule at the same
 * places again only counts. `change` is NULL for a finding that stands by itself.
 */
void findings__add(const struct nsd_scene *scene, const struct nsd_finding *finding,
                   struct nsd_switch *departure);
/* This rule has already found this of the switch, at no lower severity. */
bool findings__has_fired(const struct nsd_switch *departure, enum nsd_rule_id rule,
                         enum nsd_severity severity);
/* The exec came back: nothing is discarded after all. */
void findings__withdraw(struct nsd_findings *findings, enum nsd_rule_id rule);

/* ---- what several rules ask (scene.c) ---- */

/* The thread's newest open switch that is no move of the whole process. */
struct nsd_switch *scene__switch_of(const struct nsd_thread *thread);
/* Kinds that the switch changed and in which its thread still is away. */
nsd_kinds scene__still_away(const struct nsd_scene *scene, const struct nsd_thread *thread,
                            const struct nsd_switch *departure);
/* The next of the switches that an event finds on its thread: open ones, then what it closed. */
struct nsd_switch *scene__first_switch(const struct nsd_scene *scene, struct nsd_thread *thread);
struct nsd_switch *scene__next_switch(const struct nsd_scene *scene, struct nsd_switch *departure);

enum nsd_hold {
    NSD_HOLD_KEPT,     /* the switch's goroutine still holds the thread, as far as this shows */
    NSD_HOLD_UNLOCKED, /* the same goroutine, but it is not locked */
    NSD_HOLD_OTHER,    /* another goroutine runs there */
};
/* Go: what an event on the thread shows of the goroutine that switched it. */
enum nsd_hold scene__hold(const struct nsd_switch *departure, const struct nsd_event *event);
/* Whether this is one of the calls that end the image or ask for a report. */
bool scene__is_ending(const struct nsd_event *event);

#endif
