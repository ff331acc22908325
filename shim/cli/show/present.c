/*
 * Prints a collection, see present.h: image by image its findings and, if it says something new,
 * its closing line; then what was not watched.
 */
#include "cli/show/present.h"
#include "base/text.h"
#include "cli/say.h"
#include "report/json.h"
#include "report/json_writer.h"
#include "report/text.h"
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    uint64_t errors, warnings;
    bool unseen;       /* the command itself or a Go child was not watched, or records were lost */
    bool child_unseen; /* another program was not watched */
};

static void empty(struct nsd_text *text, void *context) {
    fwrite(text->buffer, 1, text->used - 1, context);
    json__leave_last(text);
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

/* ---- views ---- */

static bool finding_is_shown(const struct nsd_presentation *presentation,
                             const struct nsd_view_finding *finding) {
    return severity_of(finding->severity) >= presentation->severity;
}

static void print_finding(const struct nsd_presentation *presentation,
                          const struct nsd_view_finding *finding) {
    struct nsd_text text;

    begin(&text, presentation);
    if (presentation->json)
        as_json__finding(&text, finding);
    else
        as_text__finding(&text, finding, presentation->colour);
    put(&text, presentation);
}

static void print_thread(const struct nsd_presentation *presentation,
                         const struct nsd_view_thread *thread) {
    struct nsd_text text;

    begin(&text, presentation);
    if (presentation->json)
        as_json__thread(&text, thread);
    else
        as_text__thread(&text, thread);
    put(&text, presentation);
}

static void print_event(const struct nsd_presentation *presentation,
                        const struct nsd_view_event *event) {
    struct nsd_text text;

    begin(&text, presentation);
    if (presentation->json)
        as_json__event(&text, event);
    else
        as_text__event(&text, event);
    put(&text, presentation);
}

static void print_closing(const struct nsd_presentation *presentation,
                          const struct nsd_report_image *image) {
    struct nsd_view_coverage view = image->coverage;
    struct nsd_text text;

    view.say_notes = presentation->severity == 0;
    begin(&text, presentation);
    if (presentation->json) {
        as_json__coverage(&text, &view);
    } else if (image__is_unwatched(image)) {
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
    char *why;
    struct nsd_text text;
    va_list arguments;
    int size;

    if (presentation->out == NULL)
        return;
    va_start(arguments, format);
    size = vasprintf(&why, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
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
    free(why);
}

static void put_signal(char *name, size_t size, int signal) {
    const char *known = sigabbrev_np(signal);

    if (known != NULL)
        snprintf(name, size, "SIG%s", known);
    else
        snprintf(name, size, "signal %d", signal);
}

/* Judges by the last image of the command how its process ended, and says what is not known. */
static void judge_command(const struct nsd_presentation *presentation,
                          const struct nsd_collection *collection, struct totals *totals) {
    const struct nsd_report_image *last = NULL;
    char signal[32];

    if (presentation->pid == 0)
        return;
    for (size_t i = 0; i < collection->count; i++) {
        if (collect__is_command(collection, &collection->image[i]))
            last = &collection->image[i];
    }
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
    } else if (last->coverage.ended != NULL && strcmp(last->coverage.ended, "exec") == 0) {
        not_seen(presentation, presentation->pid, NULL, NULL,
                 "what %s executed in its place left no report", last->coverage.image.program);
        totals->child_unseen = true;
    } else if (image__is_hidden(last)) {
        totals->unseen = true;
    }
}

/* ---- the whole ---- */

static void add_totals(const struct nsd_report_image *image, struct totals *totals) {
    totals->errors += image->coverage.errors;
    totals->warnings += image->coverage.warnings;
    if (image__is_unwatched(image))
        totals->child_unseen = true;
    if (image->coverage.go_unknown || image->coverage.lost > 0)
        totals->unseen = true;
}

/* A closing line that decides about the exit status is printed unasked; others need verbosity=1. */
static bool has_news(const struct nsd_collection *collection,
                     const struct nsd_report_image *image) {
    const struct nsd_view_coverage *view = &image->coverage;

    if (image__is_hidden(image) && collect__is_command(collection, image))
        return true;
    return view->errors > 0 || view->warnings > 0 || view->lost > 0 || view->go_unknown;
}

static void print_image(const struct nsd_presentation *presentation,
                        const struct nsd_collection *collection,
                        const struct nsd_report_image *image) {
    bool shown = false;

    for (size_t i = 0; i < image->events; i++)
        print_event(presentation, &image->event[i]);
    for (size_t i = 0; i < image->findings; i++) {
        if (!finding_is_shown(presentation, &image->finding[i]))
            continue;
        print_finding(presentation, &image->finding[i]);
        shown = true;
    }
    for (size_t i = 0; i < image->threads; i++)
        print_thread(presentation, &image->thread[i]);
    if (presentation->json || shown || presentation->verbosity >= 1 || has_news(collection, image))
        print_closing(presentation, image);
}

/* Says how many images gave their slot of the index back and have no closing line. */
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
            print_image(presentation, collection, image);
        add_totals(image, &totals);
    }
    judge_command(presentation, collection, &totals);
    if (collection->silent > 0 && presentation->verbosity >= 1)
        print_silent(presentation, collection->silent);
    if (collection->unseen > 0) {
        not_seen(presentation, presentation->pid, presentation->program, NULL,
                 "%u more process images found no room to record", collection->unseen);
        totals.unseen = true;
    }
    /* The line was printed when the loss was noticed. */
    if (collection->index_lost)
        totals.unseen = true;
    if (collection->cut) {
        command__say("out of memory: the report is not whole");
        totals.unseen = true;
    }
    if (presentation->out != NULL)
        fflush(presentation->out);
    if (totals.errors + totals.warnings > 0)
        return NSD_STATUS_FOUND;
    if (totals.unseen || (presentation->strict && totals.child_unseen))
        return NSD_STATUS_UNSEEN;
    return NSD_STATUS_CLEAN;
}
