/*
 * Fills a finding on the stack of a rule, see rule.h. It holds no label and keeps nothing:
 * findings__add() makes the copy that stays.
 */
#include "base/memory.h"
#include "rules/rule.h"
#include <stddef.h>

static const char *const rule_names[NSD_RULES] = {
#define X(name, id) [NSD_RULE_##name] = id,
    NSD_RULE_TABLE(X)
#undef X
};

static const char *const severity_names[] = {
    [NSD_SEVERITY_NOTE] = "note",
    [NSD_SEVERITY_WARNING] = "warning",
    [NSD_SEVERITY_ERROR] = "error",
};

const char *rules__name(enum nsd_rule_id rule) {
    return rule < NSD_RULES ? rule_names[rule] : "unknown";
}

const char *severity__name(enum nsd_severity severity) {
    return severity <= NSD_SEVERITY_ERROR ? severity_names[severity] : "unknown";
}

enum nsd_severity finding__severity(const struct nsd_finding *finding) {
    enum nsd_severity worst = finding->severity;

    for (const struct nsd_finding *then = finding->consequences; then != NULL; then = then->next) {
        if (!then->withdrawn && then->severity > worst)
            worst = then->severity;
    }
    return worst;
}

void finding__begin(struct nsd_finding *finding, enum nsd_rule_id rule, enum nsd_severity severity,
                    const struct nsd_scene *scene, const struct nsd_thread *thread) {
    memory__fill(finding, 0, sizeof *finding);
    finding->rule = rule;
    finding->severity = severity;
    finding->count = 1;
    finding->time = scene->event->time;
    finding->tid = thread->tid;
    finding->goroutine = thread->goroutine;
    finding->lock = thread->lock;
    finding->main_thread = ledger__is_leader(scene->ledger, thread);
}

bool finding__begin_about(struct nsd_finding *finding, enum nsd_rule_id rule,
                          enum nsd_severity severity, const struct nsd_scene *scene,
                          const struct nsd_thread *thread, const struct nsd_switch *departure,
                          nsd_words message, nsd_words remedy) {
    if (findings__has_fired(departure, rule, severity))
        return false;
    finding__begin(finding, rule, severity, scene, thread);
    finding->message = message;
    finding->remedy = remedy;
    return true;
}

void finding__at_event(struct nsd_finding *finding, const struct nsd_event *event) {
    struct nsd_witness witness;

    witness__fill(&witness, event, 0);
    finding__at_witness(finding, &witness);
}

void finding__at_witness(struct nsd_finding *finding, const struct nsd_witness *witness) {
    finding->frames = witness->frames;
    finding->goroutine = witness->goroutine;
    finding->call = witness->call;
    finding->result = witness->result;
    memory__copy(finding->arguments, witness->arguments, sizeof finding->arguments);
}

void finding__name_kinds(struct nsd_finding *finding, const struct nsd_scene *scene,
                         const struct nsd_thread *thread, const struct nsd_switch *departure,
                         nsd_kinds kinds) {
    finding->kinds = kinds;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((kinds & NSD_KIND_BIT(kind)) == 0)
            continue;
        if (departure != NULL && departure->before[kind] != NULL)
            finding->before[kind] = departure->before[kind];
        else
            finding->before[kind] = ledger__home(scene->ledger, kind);
        finding->after[kind] = thread->label[kind];
        finding->home[kind] = ledger__home(scene->ledger, kind);
    }
}

void finding__relate(struct nsd_finding *finding, const char *what,
                     const struct nsd_witness *witness) {
    struct nsd_related *related;

    if (finding->related_count == NSD_RELATED_MOST || witness == NULL ||
        (witness->frames == finding->frames && witness->tid == finding->tid))
        return;
    related = &finding->related[finding->related_count++];
    related->what = what;
    related->tid = witness->tid;
    related->goroutine = witness->goroutine;
    related->frames = witness->frames;
}

void finding__relate_event(struct nsd_finding *finding, const char *what,
                           const struct nsd_event *event) {
    struct nsd_witness witness;

    if (event->frames == NULL)
        return;
    witness__fill(&witness, event, 0);
    finding__relate(finding, what, &witness);
}
