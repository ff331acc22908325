/*
 * What is kept of findings: the same again counts, the nearer to the cause leads, what follows is
 * taken in once for each rule and stack, a withdrawn cause gives the lead away, and all of it has
 * bounds.
 */
#include "story.h"

#include "rules/rule.h"

static struct nsd_event occasion;
static struct nsd_scene scene = {.ledger = &ledger, .findings = &findings, .event = &occasion};

/* A finding with a severity of its own and words that say so. */
static struct nsd_finding made(enum nsd_rule_id rule, enum nsd_severity severity, uint64_t place) {
    struct nsd_finding finding = {.rule = rule, .severity = severity, .count = 1};
    uint64_t stack_pointer;

    finding.message = severity__name(severity);
    finding.remedy = severity == NSD_SEVERITY_NOTE ? NULL : rules__name(rule);
    if (place != 0)
        finding.frames = stack_of(2, AT(place), &stack_pointer, true);
    return finding;
}

static void add(enum nsd_rule_id rule, enum nsd_severity severity, uint64_t place,
                struct nsd_switch *change) {
    struct nsd_finding finding = made(rule, severity, place);
    uint32_t changes = findings.changes;

    findings__add(&scene, &finding, change);
    CHECK(findings.changes == changes + 1);
}

/* A switch of a thread of its own. */
static struct nsd_switch *away(int32_t tid, uint64_t place) {
    born(MAIN_THREAD, tid, AT(MAIN(1)));
    enters(thread(tid), NET, 50, AT(place));
    return last_change.opened;
}

#define NOTE NSD_SEVERITY_NOTE
#define WARNING NSD_SEVERITY_WARNING
#define ERROR NSD_SEVERITY_ERROR
#define SPLIT NSD_RULE_SPLIT_SEQUENCE
#define MAIN_RULE NSD_RULE_MAIN_SWITCHED
#define BORN NSD_RULE_BORN_SWITCHED
#define LEFT NSD_RULE_LEFT_SWITCHED
#define DIED NSD_RULE_DIED_SWITCHED

SCENE(names_of_rules_and_severities) {
    CHECK(strcmp(rules__name(NSD_RULE_UNLOCKED_SWITCH), "unlocked-switch") == 0);
    CHECK(strcmp(rules__name(DIED), "died-switched") == 0);
    CHECK(strcmp(rules__name(NSD_RULES), "unknown") == 0);
    CHECK(strcmp(severity__name(NOTE), "note") == 0 && strcmp(severity__name(ERROR), "error") == 0);
    CHECK(strcmp(severity__name(ERROR + 1), "unknown") == 0);
}

SCENE(the_same_places_again) {
    add(LEFT, NOTE, JOB(1), NULL);
    add(LEFT, NOTE, JOB(1), NULL);
    found("note left-switched x2");
    add(LEFT, NOTE, JOB(2), NULL); /* another stack */
    add(DIED, NOTE, JOB(1), NULL); /* another rule */
    add(LEFT, NOTE, 0, NULL);      /* without a stack */
    add(LEFT, NOTE, 0, NULL);
    found("note left-switched x2; note left-switched; note died-switched; note left-switched x2");
    CHECK(findings.count == 4 && findings.last->count == 2 && findings.first->switch_id == 0);
}

SCENE(the_same_places_of_another_switch) {
    struct nsd_switch *first = away(3, WORKER(1)), *second = away(4, WORKER(1)),
                      *third = away(5, WORKER(2));

    add(LEFT, NOTE, JOB(1), first);
    add(LEFT, NOTE, JOB(1), second);
    found("note left-switched x2");
    CHECK(findings.first->switch_id == first->id &&
          findings.first->switch_frames == first->began.frames);
    add(LEFT, NOTE, JOB(1), third); /* the switch was made elsewhere */
    found("note left-switched x2; note left-switched");
    add(LEFT, NOTE, WORKER(2), third); /* the same switch again: it follows */
    CHECK(findings.last->consequences == NULL || findings.last->consequences->rule == LEFT);
    CHECK(first->finding == findings.first && second->finding == findings.first &&
          third->finding == findings.last);
}

/* The finding of a switch where it began has no other place to name. */
SCENE(the_place_of_the_switch_itself) {
    struct nsd_switch *change = away(3, WORKER(1));
    struct nsd_finding finding = made(LEFT, NOTE, 0);

    finding.frames = change->began.frames;
    findings__add(&scene, &finding, change);
    CHECK(findings.first->switch_frames == NULL);
}

SCENE(a_worse_severity_brings_its_words) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(LEFT, NOTE, JOB(1), change);
    CHECK(strcmp(findings.first->message, "note") == 0 && findings.first->remedy == NULL);
    add(LEFT, WARNING, JOB(1), change);
    found("warning left-switched");
    CHECK(strcmp(findings.first->message, "warning") == 0 && findings.first->remedy != NULL);
    add(LEFT, NOTE, JOB(1), change);
    found("warning left-switched");
    CHECK(strcmp(findings.first->message, "warning") == 0);
    change = away(4, WORKER(1));
    add(LEFT, ERROR, JOB(1), change); /* counted, and worse */
    found("error left-switched x2");
    add(LEFT, WARNING, JOB(1), change);
    CHECK(strcmp(findings.first->message, "error") == 0);
}

SCENE(what_has_fired) {
    struct nsd_switch *change = away(3, WORKER(1));

    CHECK(!findings__has_fired(change, LEFT, NOTE));
    add(LEFT, WARNING, JOB(1), change);
    CHECK(findings__has_fired(change, LEFT, NOTE) && findings__has_fired(change, LEFT, WARNING) &&
          !findings__has_fired(change, LEFT, ERROR));
    CHECK(!findings__has_fired(change, DIED, NOTE) && !findings__has_fired(change, BORN, NOTE));
    add(LEFT, NOTE, JOB(1), change);
    CHECK(findings__has_fired(change, LEFT, WARNING) && !findings__has_fired(change, LEFT, ERROR));
    add(DIED, NOTE, JOB(1), change);
    add(LEFT, ERROR, JOB(1), change);
    CHECK(findings__has_fired(change, LEFT, ERROR) && findings__has_fired(change, DIED, NOTE) &&
          !findings__has_fired(change, DIED, WARNING));
}

/* ---- who leads ---- */

SCENE(the_nearer_to_the_cause_leads) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(LEFT, WARNING, JOB(1), change);
    add(DIED, ERROR, JOB(2), change);
    found("error left-switched > died-switched");
    add(SPLIT, WARNING, JOB(3), change);
    found("error split-sequence > left-switched died-switched");
    CHECK(findings.count == 1 && findings.consequences == 2 && change->finding == findings.first);
    CHECK(findings.first->consequences->consequences == NULL);
    add(MAIN_RULE, NOTE, JOB(4), change);
    found("error split-sequence > left-switched died-switched main-switched");
    CHECK(findings.consequences == 3 && findings.first == findings.last);
}

SCENE(a_note_never_leads_a_fault) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(SPLIT, NOTE, JOB(1), change);
    add(LEFT, WARNING, JOB(2), change);
    found("warning left-switched > split-sequence");
    add(MAIN_RULE, NOTE, JOB(3), change);
    found("warning left-switched > split-sequence main-switched");
    change = away(4, WORKER(2));
    add(LEFT, NOTE, JOB(5), change);
    add(SPLIT, NOTE, JOB(6), change);
    CHECK(findings.last->rule == SPLIT && findings.last->consequences->rule == LEFT);
}

/* As a consequence, each rule and stack once. */
SCENE(the_same_consequence_again) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(SPLIT, WARNING, JOB(1), change);
    add(LEFT, NOTE, JOB(2), change);
    add(LEFT, ERROR, JOB(2), change);
    found("error split-sequence > left-switched");
    CHECK(strcmp(findings.first->consequences->message, "error") == 0);
    add(LEFT, NOTE, JOB(3), change);
    found("error split-sequence > left-switched left-switched");
    CHECK(findings.consequences == 2);
    /* What led once is not its own consequence later. */
    change = away(4, WORKER(2));
    add(DIED, NOTE, JOB(1), change);
    add(DIED, WARNING, JOB(2), change);
    add(DIED, WARNING, JOB(1), change);
    CHECK(findings.last->rule == DIED && findings.last->consequences != NULL);
}

/* Two switches share a finding; one of them finds its cause: the other keeps what they shared. */
SCENE(a_shared_finding_is_left_by_one) {
    struct nsd_switch *first = away(3, WORKER(1)), *second = away(4, WORKER(1));

    add(LEFT, WARNING, JOB(1), first);
    add(LEFT, WARNING, JOB(1), second);
    found("warning left-switched x2");
    add(SPLIT, ERROR, JOB(2), second);
    found("warning left-switched; error split-sequence > left-switched");
    CHECK(first->finding == findings.first && second->finding == findings.last);
    add(SPLIT, ERROR, JOB(2), first); /* and the other one, too: now they share the cause */
    found("error split-sequence x2 > left-switched");
    CHECK(first->finding == findings.first && findings.first == findings.last);
}

/* ---- what is taken back ---- */

#define EXEC NSD_RULE_EXEC_DISCARDS

SCENE(a_withdrawn_cause_gives_the_lead_away) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(EXEC, ERROR, JOB(1), change);
    add(LEFT, NOTE, JOB(2), change);
    add(DIED, WARNING, JOB(3), change);
    add(BORN, WARNING, JOB(4), change);
    findings.first->printed = true;
    findings.first->count = 3;
    findings__withdraw(&findings, EXEC);
    found("warning born-switched x3 > left-switched died-switched");
    CHECK(findings.first->printed && findings.count == 1 && !findings.first->withdrawn);
    CHECK(findings.first->consequences->rule == LEFT);
    CHECK(findings.first->consequences->next->next->withdrawn);
    /* It happens after all. */
    findings.first->count = 1;
    add(EXEC, ERROR, JOB(1), change);
    found("error exec-discards > born-switched left-switched died-switched");
}

SCENE(a_withdrawn_finding_without_consequences) {
    struct nsd_switch *change = away(3, WORKER(1));
    uint32_t changes;

    add(EXEC, NOTE, JOB(1), change);
    add(EXEC, NOTE, JOB(5), NULL);
    add(LEFT, NOTE, JOB(6), NULL);
    changes = findings.changes;
    findings__withdraw(&findings, EXEC);
    CHECK(findings.changes == changes + 1);
    found("note left-switched");
    CHECK(findings.count == 3); /* kept, for the report knows that it was said */
    add(EXEC, NOTE, JOB(5), NULL);
    found("note exec-discards x2; note left-switched");
    add(LEFT, NOTE, JOB(7), change); /* what was withdrawn takes in nothing */
    CHECK(change->finding->rule == LEFT && !change->finding->withdrawn);
}

SCENE(a_withdrawn_consequence) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(SPLIT, NOTE, JOB(1), change);
    add(EXEC, NOTE, JOB(2), change);
    found("note split-sequence > exec-discards");
    findings.first->consequences->severity = ERROR;
    CHECK(finding__severity(findings.first) == ERROR);
    findings__withdraw(&findings, EXEC);
    found("note split-sequence");
    CHECK(finding__severity(findings.first) == NOTE && findings.first->consequences->withdrawn);
}

/* ---- bounds ---- */

SCENE(as_many_consequences_as_one_may_have) {
    struct nsd_switch *change = away(3, WORKER(1));
    unsigned count = 0;

    add(SPLIT, ERROR, JOB(1), change);
    for (unsigned i = 0; i < 20; i++)
        add(LEFT, NOTE, JOB(2 + i), change);
    for (struct nsd_finding *then = findings.first->consequences; then != NULL; then = then->next)
        count++;
    CHECK(count == 16 && findings.consequences == 16 && findings.lost == 4);
}

SCENE(as_many_consequences_as_all_may_have) {
    for (int32_t i = 0; i < 70; i++) {
        struct nsd_switch *change = away(3 + i, WORKER(1 + (unsigned) i));

        add(SPLIT, ERROR, JOB(1), change);
        for (unsigned k = 0; k < 15; k++)
            add(LEFT, NOTE, JOB(2 + k), change);
    }
    CHECK(findings.consequences == 1024 && findings.lost == 70 * 15 - 1024);
}

SCENE(as_many_findings_as_there_may_be) {
    for (unsigned i = 0; i < 300; i++)
        add(LEFT, NOTE, FUNCTION(20 + i, 1), NULL);
    CHECK(findings.count == 256 && findings.lost == 44 && findings.consequences == 0);
    add(LEFT, NOTE, FUNCTION(20, 1), NULL); /* a known one still counts */
    CHECK(findings.first->count == 2 && findings.lost == 44);
}

/* One call from many callers: a finding for which there is no room counts for a known one. */
SCENE(more_findings_of_one_call) {
    struct nsd_finding finding = {.rule = LEFT, .severity = NOTE, .count = 1, .message = "note"};
    uint64_t stack_pointer;

    for (unsigned i = 0; i < 2000; i++) {
        finding.frames = stack_of(2, AT(FUNCTION(20 + i, 1), VISIT(1)), &stack_pointer, true);
        findings__add(&scene, &finding, NULL);
    }
    CHECK(findings.count == 256 && findings.lost == 0 && findings.first->count == 2000 - 255);
    add(LEFT, NOTE, VISIT(2), NULL); /* another call */
    finding.rule = SPLIT;
    findings__add(&scene, &finding, NULL);
    CHECK(findings.count == 256 && findings.lost == 2 && findings.first->count == 2000 - 255);
}

SCENE(no_memory_for_a_consequence) {
    struct nsd_switch *change = away(3, WORKER(1));

    add(SPLIT, ERROR, JOB(1), change);
    story_limit = story_bytes;
    add(LEFT, NOTE, JOB(2), change);
    add(LEFT, NOTE, JOB(3), NULL);
    CHECK(findings.lost == 2 && findings.count == 1 && findings.first->consequences == NULL);
    add(NSD_RULE_RESTORE_FAILED, ERROR, JOB(4), change); /* it cannot lead: the old one stays */
    CHECK(change->finding->rule == SPLIT && findings.lost == 3);
    story_limit = (size_t) -1;
}

/* ---- places that go with a finding ---- */

SCENE(related_places) {
    struct nsd_finding finding = made(LEFT, NOTE, JOB(1));
    struct nsd_event event = event_of(thread(5), NSD_CALL_SOCKET, AT(JOB(2)));
    struct nsd_event same = event_of(thread(2), NSD_CALL_SOCKET, AT(JOB(1)));
    struct nsd_event nowhere = event_of(thread(2), NSD_CALL_SOCKET, NOWHERE);

    finding.tid = 2;
    finding__relate(&finding, "nothing", NULL);
    finding__relate_event(&finding, "without a stack", &nowhere);
    finding__relate_event(&finding, "the place itself", &same);
    CHECK(finding.related_count == 0);
    finding.tid = 3; /* there, but by another thread */
    finding__relate_event(&finding, "by another", &same);
    for (unsigned i = 0; i < NSD_RELATED_MOST; i++)
        finding__relate_event(&finding, "there", &event);
    CHECK(finding.related_count == NSD_RELATED_MOST && finding.related[0].tid == 2 &&
          finding.related[1].tid == 5 && finding.related[1].frames == event.frames &&
          strcmp(finding.related[2].what, "there") == 0);
}
