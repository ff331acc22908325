/*
 * Decides when a report prints something and what: see report.h. Totals, the threshold of severity,
 * what was printed before, the closing line. Runs in the host under the ledger's lock; raw system
 * calls only.
 */
#include "report/report.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "base/text.h"
#include "report/compose.h"
#include "report/coverage.h"
#include "report/json.h"
#include "report/json_writer.h"
#include "report/log.h"
#include "report/symbols.h"
#include "report/text.h"
#include "report/thread_views.h"
#include <linux/errno.h>

/* Pages of these cost the host nothing until a report touches them. */
static char output[64 * 1024];
static char scratch_memory[512 * 1024] __attribute__((aligned(16)));
_Static_assert(sizeof scratch_memory >= NSD_COMPOSE_LEAST, "stacks of a fingerprint are never cut");

bool nsd_report_no_color;

/* What earlier reports of this image have printed. A fork copy is another image. */
static struct {
    int32_t pid;
    bool spoke;       /* something was printed */
    bool found;       /* the last report printed a finding */
    bool exec_failed; /* since the last closing line */
    uint64_t closing; /* hash of the last closing line, 0: none */
    unsigned faults;
} said;

struct totals {
    unsigned severity[3];
    unsigned to_print;
};

/* ---- start ---- */

void report__complain(const char *line) {
    char buffer[512];
    struct nsd_text text;

    if (sys__is_forbidden() || nsd_options.silent.number != 0)
        return;
    text__begin(&text, buffer, sizeof buffer - 1); /* room for the newline */
    as_text__prefix(&text, sys__getpid());
    text__put(&text, line);
    buffer[text.used++] = '\n';
    log__complain(buffer, text.used);
}

static void print_help(void) {
    struct nsd_text text;

    text__begin(&text, output, sizeof output);
    text__put(&text, "NSDRIFT_OPTIONS=name=value:name=value, where the names (and defaults) are\n");
    options__help(&text);
    log__complain(output, text.used);
}

static void complain_about_log_path(const char *log_path, int64_t error) {
    char buffer[320];
    struct nsd_text text;

    text__begin(&text, buffer, sizeof buffer);
    text__put(&text, "the report goes to stderr, since nothing can be written by log_path (");
    text__put(&text, symbols__errno(error) != NULL ? symbols__errno(error) : "too long");
    text__put(&text, "): ");
    text__put(&text, log_path);
    report__complain(text__string(&text));
}

void report__begin(void) {
    int64_t error;

    memory__fill(&said, 0, sizeof said);
    error = log__begin(nsd_options.log_path.text);
    if (error != 0)
        complain_about_log_path(nsd_options.log_path.text, error);
    if (nsd_options.help.number != 0)
        print_help();
}

unsigned report__faults(void) {
    return said.faults;
}

/* ---- what is to be said ---- */

static enum nsd_severity threshold(void) {
    if (nsd_options.severity.given)
        return (enum nsd_severity) nsd_options.severity.number;
    return nsd_options.json.number != 0 ? NSD_SEVERITY_NOTE : NSD_SEVERITY_WARNING;
}

static bool is_new(const struct nsd_finding *finding) {
    return !finding->printed && !finding->withdrawn && finding__severity(finding) >= threshold();
}

static void count(const struct nsd_findings *findings, struct totals *totals) {
    memory__fill(totals, 0, sizeof *totals);
    for (const struct nsd_finding *finding = findings->first; finding != NULL;
         finding = finding->next) {
        if (finding->withdrawn)
            continue;
        totals->severity[finding__severity(finding)]++;
        if (is_new(finding))
            totals->to_print++;
    }
}

static void begin_image(const struct nsd_image *image) {
    if (said.pid == image->pid)
        return;
    memory__fill(&said, 0, sizeof said);
    said.pid = image->pid;
}

static void fill_coverage(const struct nsd_compose *compose, const struct totals *totals,
                          struct nsd_view_coverage *view) {
    coverage__view(view, compose->image);
    view->time = compose__time(compose, compose->now_ticks);
    view->errors = totals->severity[NSD_SEVERITY_ERROR];
    view->warnings = totals->severity[NSD_SEVERITY_WARNING];
    view->notes = totals->severity[NSD_SEVERITY_NOTE];
    view->say_notes = threshold() == NSD_SEVERITY_NOTE;
}

static uint64_t closing_of(const struct nsd_compose *compose,
                           const struct nsd_view_coverage *coverage) {
    const size_t size = 4096;
    struct nsd_text text;
    char *buffer = scratch__take(compose->scratch, size);

    if (buffer == NULL)
        return 0;
    text__begin(&text, buffer, size);
    as_text__coverage(&text, coverage);
    return hash__bytes(HASH_START, buffer, text.used);
}

/*
 * Whether the closing line is printed: with every finding, and unasked for a Go release that is not
 * known and for an image of which something was missed. In text it is not repeated for an exec that
 * failed, nor if nothing has changed; a reader of JSON wants it at every end.
 */
static bool closes(const struct totals *totals, const struct nsd_image *image, uint64_t closing) {
    bool asked = nsd_options.verbosity.number >= 1 || image->is_incomplete;

    if (totals->to_print > 0)
        return true;
    if (nsd_options.json.number != 0)
        return asked || image->go_unknown || said.spoke;
    if (closing == said.closing)
        return asked && !said.exec_failed;
    return asked || image->go_unknown || said.spoke;
}

/* ---- saying it ---- */

/*
 * Writes all but the last character, which the JSON printer looks back at. Called only for lines
 * that are longer than the whole buffer: it is emptied between findings.
 */
static void empty_within_line(struct nsd_text *text, void *context) {
    (void) context;
    log__write(text->buffer, text->used - 1);
    json__leave_last(text);
}

static void empty(struct nsd_text *text) {
    if (text->used > 0)
        log__write(text->buffer, text->used);
    text->used = 0;
}

static void empty_if_half_full(struct nsd_text *text) {
    if (text->used > text->size / 2)
        empty(text);
}

static bool use_colour(void) {
    switch (nsd_options.color.number) {
    case 1: /* always */
        return true;
    case 2: /* never */
        return false;
    default:
        return !nsd_report_no_color && log__is_terminal();
    }
}

static void put_findings(struct nsd_text *text, const struct nsd_compose *compose,
                         struct nsd_findings *findings, bool colour) {
    struct nsd_view_finding view;

    for (struct nsd_finding *finding = findings->first; finding != NULL; finding = finding->next) {
        if (!is_new(finding))
            continue;
        compose->scratch->used = 0;
        compose__finding(compose, finding, &view);
        if (nsd_options.json.number != 0)
            as_json__finding(text, &view);
        else
            as_text__finding(text, &view, colour);
        empty_if_half_full(text);
        finding->printed = true;
    }
}

static void put_threads(struct nsd_text *text, const struct nsd_compose *compose,
                        struct nsd_ledger *ledger) {
    struct nsd_view_thread view;

    for (struct nsd_thread *thread = ledger__first_thread(ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        compose->scratch->used = 0;
        compose__thread(compose, ledger, thread, &view);
        if (nsd_options.json.number != 0)
            as_json__thread(text, &view);
        else
            as_text__thread(text, &view);
        empty_if_half_full(text);
    }
}

static void begin_compose(struct nsd_compose *compose, struct nsd_scratch *scratch, char *memory,
                          size_t size, const struct nsd_image *image) {
    scratch->memory = memory;
    scratch->size = size;
    scratch->used = 0;
    scratch->grow = NULL;
    compose->scratch = scratch;
    compose->image = image;
    compose->now_ticks = image->now_ticks != 0 ? image->now_ticks : clock__ticks();
    compose->now_wall = image->now_ticks != 0 ? image->now_wall : clock__wall();
    compose->keep_plumbing = nsd_options.verbosity.number >= 3;
    compose->recorded = false;
    compose->source = NULL;
}

static bool open_log(const struct nsd_image *image) {
    struct nsd_log_names names = {.pid = image->pid, .program = image->program};

    if (log__open(&names))
        return true;
    if (!log__leaves_file())
        return false;
    complain_about_log_path(nsd_options.log_path.text, -ENXIO);
    return log__open(&names);
}

static void write_all(const struct nsd_compose *compose, struct nsd_ledger *ledger,
                      struct nsd_findings *findings, const struct totals *totals, bool closing) {
    struct nsd_view_coverage coverage;
    struct nsd_text text;

    text__begin(&text, output, sizeof output);
    text.sink = empty_within_line;
    put_findings(&text, compose, findings, nsd_options.json.number == 0 && use_colour());
    if (closing && nsd_options.verbosity.number >= 2 && ledger != NULL)
        put_threads(&text, compose, ledger);
    compose->scratch->used = 0;
    fill_coverage(compose, totals, &coverage);
    if (closing && nsd_options.json.number != 0)
        as_json__coverage(&text, &coverage);
    else if (closing)
        as_text__coverage(&text, &coverage);
    empty(&text);
}

void report__write(struct nsd_ledger *ledger, struct nsd_findings *findings,
                   struct nsd_image *image) {
    struct nsd_scratch scratch;
    struct nsd_compose compose;
    struct nsd_view_coverage coverage;
    struct totals totals;
    uint64_t closing;
    bool closes_now;

    begin_image(image);
    count(findings, &totals);
    said.faults = totals.severity[NSD_SEVERITY_ERROR] + totals.severity[NSD_SEVERITY_WARNING];
    said.found = totals.to_print > 0;
    /* After the host has set a seccomp filter, the system calls of a report may kill it. */
    if (sys__is_forbidden() || nsd_options.silent.number != 0)
        return;
    begin_compose(&compose, &scratch, scratch_memory, sizeof scratch_memory, image);
    fill_coverage(&compose, &totals, &coverage);
    closing = closing_of(&compose, &coverage);
    closes_now = closes(&totals, image, closing);
    if (totals.to_print == 0 && !closes_now)
        return;
    said.spoke = true;
    if (closes_now)
        said.closing = closing;
    said.exec_failed = false;
    if (!open_log(image)) {
        for (struct nsd_finding *finding = findings->first; finding != NULL;
             finding = finding->next)
            finding->printed = finding->printed || is_new(finding);
        return;
    }
    write_all(&compose, ledger, findings, &totals, closes_now);
    log__close();
}

/* ---- single lines ---- */

/* A hook's stack is small: all memory of a line is static. */
static char line_output[4096];
static char line_scratch[32 * 1024] __attribute__((aligned(16)));

void report__event(const struct nsd_event *event, const struct nsd_image *image) {
    struct nsd_scratch scratch;
    struct nsd_compose compose;
    struct nsd_view_event view;
    struct nsd_text text;

    /* What we looked up about namespaces is no event of the program. */
    if (nsd_call_table[event->call].effect == NSD_EFFECT_KNOWLEDGE)
        return;
    if (sys__is_forbidden() || nsd_options.silent.number != 0 || !open_log(image))
        return;
    begin_compose(&compose, &scratch, line_scratch, sizeof line_scratch, image);
    compose__event(&compose, event, &view);
    text__begin(&text, line_output, sizeof line_output);
    text.sink = empty_within_line;
    if (nsd_options.json.number != 0)
        as_json__event(&text, &view);
    else
        as_text__event(&text, &view);
    log__write(line_output, text.used);
    log__close();
}

void report__exec_failed(int64_t error, const struct nsd_image *image) {
    struct nsd_scratch scratch;
    struct nsd_compose compose;
    struct nsd_view_image view;
    struct nsd_text text;

    begin_image(image);
    said.exec_failed = true;
    /* In text the line is printed only if the last report spoke of the exec. */
    if (sys__is_forbidden() || !said.spoke || (nsd_options.json.number == 0 && !said.found) ||
        !open_log(image))
        return;
    said.found = false;
    begin_compose(&compose, &scratch, line_scratch, sizeof line_scratch, image);
    compose__image(&view, image);
    text__begin(&text, line_output, sizeof line_output);
    if (nsd_options.json.number != 0) {
        as_json__exec_failed(&text, &view, compose__time(&compose, compose.now_ticks),
                             symbols__errno(error));
    } else {
        as_text__prefix(&text, image->pid);
        text__put(&text, "the exec failed (");
        text__put(&text, symbols__errno(error) != NULL ? symbols__errno(error) : "unknown error");
        text__put(&text, "): the program goes on, what was said of the exec does not hold.\n");
    }
    log__write(line_output, text.used);
    log__close();
}
