/*
 * Facts for the recording, see facts.h: nsd_image and the coverage as one struct with its strings
 * cut to fit. Raw system calls at start alone.
 */
#include "host/facts.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"
#include "host/identity.h"
#include "host/image.h"
#include "record/writer.h"
#include "report/coverage.h"
#include "report/symbols.h"
#include "rules/rules.h"

static const struct nsd_findings *found;

static void put_string(char *to, size_t size, const char *from) {
    struct nsd_text text;

    text__begin(&text, to, size);
    if (from != NULL)
        text__put(&text, from);
    text__string(&text);
}

/* A path that is too long keeps its end, where the program's name is. */
static void put_path(char *to, size_t size, const char *path) {
    size_t length = path == NULL ? 0 : string__length(path);

    put_string(to, size, length >= size ? path + (length - size + 1) : path);
}

/* One string and its NUL, if there is room for the ends of both lists after it. */
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

        /* Both or none. */
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
    if (!identity__is_quiet())
        image__learn_pid_namespace();
    coverage__view(&view, &nsd_image);
    facts->pid = nsd_image.pid;
    facts->leader = nsd_image.leader;
    facts->pid_ns = nsd_image.pid_ns;
    facts->start_ticks = nsd_image.clock.start_ticks;
    facts->start_wall = nsd_image.clock.start_wall;
    facts->last_ticks = nsd_image.now_ticks;
    facts->last_wall = nsd_image.now_wall;
    facts->events = nsd_image.events;
    facts->lost = nsd_image.lost;
    facts->threads = nsd_image.threads;
    facts->ended = ended_as(nsd_image.ended);
    facts->flags = (nsd_image.is_go ? NSD_RECORD_IS_GO : 0u) |
                   (nsd_image.go_unknown ? NSD_RECORD_GO_UNKNOWN : 0u) |
                   (nsd_image.go_newer ? NSD_RECORD_GO_NEWER : 0u);
    facts->cross_check = (uint32_t) nsd_image.cross_check;
    facts->libc_functions = nsd_image.libc_functions;
    facts->go_sites = nsd_image.go_sites;
    facts->go_sites_watched = nsd_image.go_sites_watched;
    facts->findings = found->count;
    put_path(facts->path, sizeof facts->path, nsd_image.path);
    put_string(facts->go, sizeof facts->go, nsd_image.go);
    put_words(facts, &view);
}

/* Of a folder's name, in a complaint. */
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
    static struct nsd_record_facts facts; /* under the lock; a hook's stack is small */

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
    record__resume(&facts, !identity__is_quiet());
}
