/*
 * Prints what was collected, see present.h: findings image by image, each image's closing line
 * where it has something to say, and then what could not be seen.
 */
#include "cli/show/present.h"
#include "base/text.h"
#include "cli/command.h"
#include "report/json.h"
#include "report/text.h"
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    uint64_t errors, warnings;
    bool unseen;       /* the command itself or a Go child was not watched, or records were lost */
    bool child_unseen; /* something else was not */
};

static void empty(struct nsd_text *text, void *context) {
    char last = text->buffer[text->used - 1];

    /* The JSON printer looks back at the last character. */
    fwrite(text->buffer, 1, text->used - 1, context);
    text->buffer[0] = last;
    text->used = 1;
}

static char buffer[64 * 1024];

static void begin(struct nsd_text *text, const struct nsd_presentation *presentation) {
    text__begin(text, buffer, sizeof buffer);
    text->sink = empty;
    text->context = presentation->out;
}

static void put(const struct nsd_text *text, const struct nsd_presentation *presentation) {
    fwrite(text->buffer, 1, text->used, presentation->out);
}

static unsigned severity_of(const char *name) {
    return strcmp(name, "error") == 0 ? 2 : strcmp(name, "warning") == 0 ? 1 : 0;
}

static bool is_the_command(const struct nsd_presentation *presentation,
                           const struct nsd_report_image *image) {
    return presentation->pid != 0 && image->pid == presentation->pid;
}

/* ---- lines ---- */

static bool finding_is_shown(const struct nsd_presentation *presentation,
                             const struct nsd_line *line) {
    static struct nsd_view_finding view;

    lines__finding(line, &view);
    return severity_of(view.severity) >= presentation->severity;
}

static void print_line(const struct nsd_presentation *presentation, const struct nsd_line *line) {
    static struct nsd_view_finding finding;
    struct nsd_view_thread thread;
    struct nsd_view_event event;
    struct nsd_text text;

    if (presentation->json) {
        fprintf(presentation->out, "%s\n", line->text);
        return;
    }
    begin(&text, presentation);
    switch (line->type) {
    case NSD_LINE_FINDING:
        lines__finding(line, &finding);
        as_text__finding(&text, &finding, presentation->colour);
        break;
    case NSD_LINE_THREAD:
        lines__thread(line, &thread);
        as_text__thread(&text, &thread);
        break;
    case NSD_LINE_EVENT:
        lines__event(line, &event);
        as_text__event(&text, &event);
        break;
    default:
        return;
    }
    put(&text, presentation);
}

static bool misses(const struct nsd_view_coverage *view, const char *probe) {
    return view->missing_count > 0 && strcmp(view->missing[0].probe, probe) == 0;
}

bool present__is_hidden(const struct nsd_view_coverage *view) {
    return misses(view, "folder");
}

/* Somebody saw it being executed, and nobody watched it. */
static bool is_unwatched(const struct nsd_view_coverage *view) {
    return misses(view, "image") || present__is_hidden(view);
}

static void print_closing(const struct nsd_presentation *presentation,
                          const struct nsd_line *line) {
    struct nsd_view_coverage view;
    struct nsd_text text;

    lines__coverage(line, &view);
    view.say_notes = presentation->severity == 0;
    begin(&text, presentation);
    if (is_unwatched(&view)) {
        as_text__prefix(&text, view.image.pid);
        text__put(&text, "not watched: ");
        text__put(&text, view.path != NULL ? view.path : "a program");
        text__put(&text, ": ");
        text__put(&text, view.missing[0].why);
        text__put(&text, ".\n");
    } else {
        as_text__coverage(&text, &view);
    }
    put(&text, presentation);
}

/* ---- what was not seen ---- */

static void not_seen(const struct nsd_presentation *presentation, int32_t pid, const char *program,
                     const char *ended, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void not_seen(const struct nsd_presentation *presentation, int32_t pid, const char *program,
                     const char *ended, const char *format, ...) {
    struct nsd_view_coverage view = {.image = {.pid = pid, .program = program}, .ended = ended};
    char why[512];
    struct nsd_text text;
    va_list arguments;

    if (presentation->out == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    begin(&text, presentation);
    if (presentation->json) {
        view.missing[view.missing_count].probe = "image";
        view.missing[view.missing_count++].why = why;
        as_json__coverage(&text, &view);
    } else {
        as_text__prefix(&text, pid);
        text__put(&text, "not watched: ");
        text__put(&text, why);
        text__put(&text, ".\n");
    }
    put(&text, presentation);
}

static void put_signal(char *name, size_t size, int signal) {
    const char *known = sigabbrev_np(signal);

    if (known != NULL)
        snprintf(name, size, "SIG%s", known);
    else
        snprintf(name, size, "signal %d", signal);
}

/* What the last image of the command says about how its process ended. */
static void judge_command(const struct nsd_presentation *presentation,
                          const struct nsd_collection *collection, struct totals *totals) {
    const struct nsd_report_image *last = NULL;
    const struct nsd_view_coverage none = {0};
    struct nsd_view_coverage view = none;
    char signal[32];

    if (presentation->pid == 0)
        return;
    for (size_t i = 0; i < collection->count; i++) {
        if (is_the_command(presentation, &collection->image[i]))
            last = &collection->image[i];
    }
    if (last != NULL && last->closing >= 0)
        lines__coverage(&last->line[last->closing], &view);
    if (presentation->known_unseen) {
        totals->unseen = true;
    } else if (presentation->signal != 0 && (last == NULL || !last->ended)) {
        put_signal(signal, sizeof signal, presentation->signal);
        not_seen(presentation, presentation->pid, presentation->program, "killed",
                 "%s was killed by %s before it could report", presentation->program, signal);
        totals->unseen = true;
    } else if (last == NULL) {
        not_seen(presentation, presentation->pid, presentation->program, NULL,
                 "%s left no report: it did not load the library, or could not reach %s at its end",
                 presentation->program, collection->folder);
        totals->unseen = true;
    } else if (!last->ended) {
        not_seen(presentation, presentation->pid, presentation->program, NULL,
                 "%s left no report of its end", presentation->program);
        totals->unseen = true;
    } else if (view.ended != NULL && strcmp(view.ended, "exec") == 0) {
        not_seen(presentation, presentation->pid, NULL, NULL,
                 "what %s executed in its place left no report", view.image.program);
        totals->child_unseen = true;
    } else if (present__is_hidden(&view)) {
        totals->unseen = true;
    }
}

static void judge_child(const struct nsd_presentation *presentation,
                        const struct nsd_report_image *image, struct totals *totals) {
    struct nsd_view_coverage view;

    if (is_the_command(presentation, image) || image->ended)
        return;
    memset(&view, 0, sizeof view);
    if (image->closing >= 0)
        lines__coverage(&image->line[image->closing], &view);
    /* It runs on, and was reported as it is now. */
    if (view.ended != NULL && strcmp(view.ended, "report") == 0)
        return;
    not_seen(presentation, image->pid, view.image.program, NULL,
             "process %d left no report of its end", image->pid);
    totals->child_unseen = true;
}

/* ---- the whole ---- */

static void add_totals(const struct nsd_report_image *image, struct totals *totals) {
    struct nsd_view_coverage view;

    if (image->closing < 0)
        return;
    lines__coverage(&image->line[image->closing], &view);
    totals->errors += view.errors;
    totals->warnings += view.warnings;
    if (is_unwatched(&view))
        totals->child_unseen = true;
    if (view.go_unknown || view.lost > 0)
        totals->unseen = true;
}

/* What decides about the exit status is said unasked; the rest is for verbosity=1. */
static bool has_news(const struct nsd_presentation *presentation,
                     const struct nsd_report_image *image) {
    struct nsd_view_coverage view;

    lines__coverage(&image->line[image->closing], &view);
    if (present__is_hidden(&view) && is_the_command(presentation, image))
        return true;
    return view.errors > 0 || view.warnings > 0 || view.lost > 0 || view.go_unknown;
}

static void print_image(const struct nsd_presentation *presentation,
                        const struct nsd_report_image *image) {
    bool shown = false;

    for (size_t i = 0; i < image->count; i++) {
        const struct nsd_line *line = &image->line[i];

        switch (line->type) {
        case NSD_LINE_FINDING:
            if (!finding_is_shown(presentation, line))
                break;
            print_line(presentation, line);
            shown = true;
            break;
        case NSD_LINE_COVERAGE:
        case NSD_LINE_OTHER:
        case NSD_LINE_EXEC_FAILED:
            if (presentation->json)
                print_line(presentation, line);
            break;
        default:
            print_line(presentation, line);
        }
    }
    if (presentation->json || image->closing < 0)
        return;
    if (shown || presentation->verbosity >= 1 || has_news(presentation, image))
        print_closing(presentation, &image->line[image->closing]);
}

/* Their closing lines made room for those of others. */
static void print_silent(const struct nsd_presentation *presentation, unsigned count) {
    struct nsd_text text;

    if (presentation->out == NULL || presentation->json)
        return;
    begin(&text, presentation);
    as_text__prefix(&text, presentation->pid);
    text__unsigned(&text, count);
    text__put(&text, " more process images were watched and had nothing to say.\n");
    put(&text, presentation);
}

int present__report(const struct nsd_presentation *presentation,
                    const struct nsd_collection *collection) {
    struct totals totals = {0};

    for (size_t i = 0; i < collection->count; i++) {
        const struct nsd_report_image *image = &collection->image[i];

        if (presentation->out != NULL)
            print_image(presentation, image);
        add_totals(image, &totals);
        judge_child(presentation, image, &totals);
    }
    judge_command(presentation, collection, &totals);
    if (collection->silent > 0 && presentation->verbosity >= 1)
        print_silent(presentation, collection->silent);
    if (collection->unseen > 0) {
        not_seen(presentation, presentation->pid, presentation->program, NULL,
                 "%u more process images found no room to record", collection->unseen);
        totals.unseen = true;
    }
    /* Said when it was found out. */
    if (collection->index_lost)
        totals.unseen = true;
    if (presentation->out != NULL)
        fflush(presentation->out);
    if (totals.errors + totals.warnings > 0)
        return NSD_STATUS_FOUND;
    if (totals.unseen || (presentation->strict && totals.child_unseen))
        return NSD_STATUS_UNSEEN;
    return NSD_STATUS_CLEAN;
}
