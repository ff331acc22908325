/*
 * Fills in the facts of a recording, see facts.h: from nsd_image and the coverage, by the table of
 * ledger/image_facts.h. Makes system calls only at start.
 */
#include "host/facts.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "base/text.h"
#include "host/image.h"
#include "record/writer.h"
#include "report/coverage.h"
#include "report/symbols.h"
#include "rules/rules.h"

static const struct nsd_findings *found;

/* Copies as much of the beginning as fits. */
static void put_start(char *to, size_t size, const char *from) {
    struct nsd_text text;

    text__begin(&text, to, size);
    if (from != NULL)
        text__put(&text, from);
    text__string(&text);
}

/* Copies as much of the end as fits. */
static void put_end(char *to, size_t size, const char *from) {
    size_t length = from == NULL ? 0 : string__length(from);

    put_start(to, size, length >= size ? from + (length - size + 1) : from);
}

static void copy_facts(struct nsd_record_facts *to, const struct nsd_image *from) {
    NSD_PROCESS_FACTS(NSD_FACT_TO_RECORDING)
    NSD_PROBE_FACTS(NSD_FACT_TO_RECORDING)
    NSD_COUNT_FACTS(NSD_FACT_TO_RECORDING)
#define PUT(name, size, kept) put_##kept(to->name, size, from->name);
    NSD_STRING_FACTS(PUT)
#undef PUT
    to->cross_check = (uint32_t) from->cross_check;
}

/* Appends a string and its NUL, if the empty strings that end both lists still fit after it. */
static void put_word(struct nsd_record_facts *facts, size_t *used, const char *word) {
    size_t size = string__length(word) + 1;

    if (size > sizeof facts->words - 3 - *used)
        return;
    memory__copy(facts->words + *used, word, size);
    *used += size;
}

static void put_words(struct nsd_record_facts *facts, const struct nsd_view_coverage *view) {
    size_t used = 0;

    for (unsigned i = 0; i < view->probe_count; i++)
        put_word(facts, &used, view->probes[i]);
    used++;
    for (unsigned i = 0; i < view->missing_count; i++) {
        const struct nsd_view_missing *missing = &view->missing[i];

        /* Both strings or neither. */
        if (used + string__length(missing->probe) + string__length(missing->why) + 2 >
            sizeof facts->words - 3)
            break;
        put_word(facts, &used, missing->probe);
        put_word(facts, &used, missing->why);
    }
}

static uint32_t ended_as(const char *ended) {
    if (ended == NULL)
        return NSD_RECORD_RUNNING;
    if (string__equal(ended, "exit"))
        return NSD_RECORD_EXIT;
    return string__equal(ended, "exec") ? NSD_RECORD_EXEC : NSD_RECORD_REPORT;
}

void facts__fill(struct nsd_record_facts *facts) {
    static struct nsd_view_coverage view;

    memory__fill(facts, 0, sizeof *facts);
    if (!sys__is_forbidden())
        image__learn_pid_namespace();
    coverage__view(&view, &nsd_image);
    copy_facts(facts, &nsd_image);
    facts->start_ticks = nsd_image.clock.start_ticks;
    facts->start_wall = nsd_image.clock.start_wall;
    facts->last_ticks = nsd_image.now_ticks;
    facts->last_wall = nsd_image.now_wall;
    facts->ended = ended_as(nsd_image.ended);
    facts->findings = found->count;
    put_words(facts, &view);
}

/* The most of a folder's name that a complaint quotes. */
#define QUOTED_MOST 100u

static void complain(const char *why, int64_t error) {
    const char *folder = nsd_options.record.text;
    size_t length = string__length(folder);
    char line[256];
    struct nsd_text text;

    text__begin(&text, line, sizeof line);
    text__put(&text, "nothing is recorded in ");
    text__put_bytes(&text, folder, length < QUOTED_MOST ? length : QUOTED_MOST);
    text__put(&text, length < QUOTED_MOST ? ": " : "...: ");
    text__put(&text, why);
    if (error != 0) {
        text__put(&text, " (");
        text__put(&text, symbols__errno(error) != NULL ? symbols__errno(error) : "unknown error");
        text__put(&text, ")");
    }
    report__complain(text__string(&text));
}

void facts__begin_recording(const struct nsd_findings *findings) {
    struct nsd_record_wish wish = {.folder = nsd_options.record.text,
                                   .size = nsd_options.record_size.number,
                                   .findings = findings};
    struct nsd_record_facts facts;
    const char *why;
    int64_t error;

    found = findings;
    if (wish.folder == NULL || string__equal(wish.folder, "none"))
        return;
    facts__fill(&facts);
    why = record__begin(&wish, &facts, &error);
    if (why != NULL)
        complain(why, error);
}

void facts__to_recording(void) {
    static struct nsd_record_facts facts; /* static, under the lock: a hook's stack is small */

    if (!record__is_on())
        return;
    facts__fill(&facts);
    record__facts(&facts);
}

void facts__exec_came_back(void) {
    static struct nsd_record_facts facts;

    if (!record__is_on())
        return;
    facts__fill(&facts);
    facts.flags |= NSD_RECORD_CAME_BACK;
    record__resume(&facts, !sys__is_forbidden());
}
