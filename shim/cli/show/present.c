/*
 * Prints a collection, see present.h: image by image its findings and, if it says something new,
 * its closing line; then what was not watched.
 */
#include "cli/show/present.h"
#include "base/text.h"
#include "cli/say.h"
#include "report/json_writer.h"
#include "report/text.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Something was printed: a report that is otherwise silent names how the program ended. */
static bool has_printed;

static void empty(struct nsd_text *text, void *context) {
    has_printed = true;
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
    if (text->used == 0)
        return;
    has_printed = true;
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

static const struct nsd_form *form_of(const struct nsd_presentation *presentation) {
    return form__of(presentation->form);
}

static void print_finding(const struct nsd_presentation *presentation,
                          const struct nsd_view_finding *finding) {
    struct nsd_text text;

    begin(&text, presentation);
    form_of(presentation)->finding(&text, finding, presentation->colour);
    put(&text, presentation);
}

static void print_thread(const struct nsd_presentation *presentation,
                         const struct nsd_view_thread *thread) {
    struct nsd_text text;

    begin(&text, presentation);
    form_of(presentation)->thread(&text, thread);
    put(&text, presentation);
}

static void print_event(const struct nsd_presentation *presentation,
                        const struct nsd_view_event *event) {
    struct nsd_text text;

    begin(&text, presentation);
    form_of(presentation)->event(&text, event);
    put(&text, presentation);
}

static void print_closing(const struct nsd_presentation *presentation,
                          const struct nsd_report_image *image) {
    struct nsd_text text;

    begin(&text, presentation);
    form_of(presentation)->closing(&text, image, presentation->severity == 0);
    put(&text, presentation);
}

/* ---- what was not judged ---- */

static void print_line(const struct nsd_presentation *presentation, int32_t pid, const char *head,
                       const char *words) {
    struct nsd_text text;

    begin(&text, presentation);
    form__line(&text, pid, head, words);
    put(&text, presentation);
}

static const char *name_of_signal(int signal) {
    static char name[32];
    const char *known = sigabbrev_np(signal);

    if (known != NULL)
        snprintf(name, sizeof name, "SIG%s", known);
    else
        snprintf(name, sizeof name, "signal %d", signal);
    return name;
}

/* What a gap's line says: which program, what of it, and how many more are like it. Owned. */
static char *words_of(const struct nsd_presentation *presentation, const struct nsd_gaps *gaps,
                      enum nsd_gap gap) {
    const struct nsd_report_image *image = gaps->of[gap].first;
    unsigned count = gaps->of[gap].count;
    const char *why = gap__why(gap, image);
    char *words = NULL;
    int size;

    if (gap == NSD_GAP_NO_ROOM)
        size = asprintf(&words, "%u %s", count, why);
    else if (gap == NSD_GAP_COMMAND_KILLED)
        size = asprintf(&words, "%s was killed by %s before it could report", presentation->program,
                        name_of_signal(WTERMSIG(presentation->ending.status)));
    else if (!gap__is_of_image(gap))
        size = asprintf(&words, "%s %s", presentation->program, why);
    else if (count == 1)
        size = asprintf(&words, "%s: %s", image->coverage.image.program, why);
    else
        size =
            asprintf(&words, "%s: %s (and %u more)", image->coverage.image.program, why, count - 1);
    return size < 0 ? NULL : words;
}

static void print_gap(const struct nsd_presentation *presentation, const struct nsd_gaps *gaps,
                      enum nsd_gap gap) {
    const struct nsd_report_image *image = gaps->of[gap].first;
    char *words = words_of(presentation, gaps, gap);
    struct nsd_gap_words said = {
        .gap = gap,
        .pid = gap__is_of_image(gap) ? image->process.pid : presentation->ending.pid,
        .program = presentation->program,
        .words = words,
    };
    struct nsd_text text;

    if (words == NULL)
        return;
    begin(&text, presentation);
    form_of(presentation)->gap(&text, &said);
    put(&text, presentation);
    free(words);
}

/* Closing lines say some gaps, and others were said when they were noticed. */
static void print_gaps(const struct nsd_presentation *presentation, const struct nsd_gaps *gaps) {
    for (unsigned i = 0; i < NSD_GAP_COUNT; i++) {
        enum nsd_gap gap = (enum nsd_gap) i;

        if (gaps->of[gap].count > 0 && gap__line(gap) == NSD_GAP_OWN_LINE)
            print_gap(presentation, gaps, gap);
    }
    if (gaps->of[NSD_GAP_CUT].count > 0)
        command__say("%s", gap__why(NSD_GAP_CUT, NULL));
}

/* ---- the whole ---- */

/* A child that was not watched is listed in one line, unless its closing line is printed anyway. */
static bool is_listed(const struct nsd_report_image *image) {
    return gaps__of_image(image) == NSD_GAP_CHILD_UNWATCHED && !image__is_hidden(image) &&
           !image->is_tool;
}

/* A closing line that decides about the exit status is printed unasked; others need verbosity=1. */
static bool has_news(const struct nsd_presentation *presentation,
                     const struct nsd_collection *collection,
                     const struct nsd_report_image *image) {
    const struct nsd_view_coverage *view = &image->coverage;
    enum nsd_gap gap = gaps__of_image(image);

    if (image__is_hidden(image) && collect__is_command(collection, image))
        return true;
    if (gap != NSD_GAP_COUNT && gap__line(gap) == NSD_GAP_CLOSING_LINE &&
        gap__counts(gap, presentation->strict))
        return true;
    return view->errors > 0 || view->warnings > 0 || view->lost > 0 || view->go_unknown;
}

/* Prints the image; false if its closing line was left out. */
static bool print_image(const struct nsd_presentation *presentation,
                        const struct nsd_collection *collection,
                        const struct nsd_report_image *image) {
    bool shown = !form_of(presentation)->is_prose || presentation->verbosity >= 1;

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
    shown = shown || has_news(presentation, collection, image);
    if (shown)
        print_closing(presentation, image);
    return shown;
}

/* The first of the children that were not watched, and how many more there are. */
static void print_listed(const struct nsd_presentation *presentation,
                         const struct nsd_report_image *first, unsigned count) {
    const char *name = first->coverage.path != NULL ? first->coverage.path : "a program";
    const char *why = gap__why(NSD_GAP_CHILD_UNWATCHED, first);
    char *words = NULL;
    int size;

    if (count == 1)
        size = asprintf(&words, "%s: %s", name, why);
    else
        size = asprintf(&words, "%s: %s; and %u more (-o verbosity=1 lists them)", name, why,
                        count - 1);
    if (size >= 0)
        print_line(presentation, first->process.pid, "not watched, and not judged: ", words);
    free(words);
}

static void print_images(const struct nsd_presentation *presentation,
                         const struct nsd_collection *collection) {
    const struct nsd_report_image *listed = NULL;
    unsigned count = 0;

    for (size_t i = 0; i < collection->count; i++) {
        const struct nsd_report_image *image = &collection->image[i];

        if (print_image(presentation, collection, image) || !is_listed(image))
            continue;
        if (count++ == 0)
            listed = image;
    }
    if (count > 0)
        print_listed(presentation, listed, count);
}

/* Says how many images gave their slot of the index back and have no closing line. */
static void print_silent(const struct nsd_presentation *presentation, unsigned count) {
    struct nsd_text text;

    if (!form_of(presentation)->is_prose)
        return;
    begin(&text, presentation);
    as_text__prefix(&text, presentation->ending.pid);
    text__unsigned(&text, count);
    text__put(&text, " more process images were watched and had nothing to say.\n");
    put(&text, presentation);
}

/* A program that failed is named where the report says nothing else. */
static void print_ending(const struct nsd_presentation *presentation) {
    int status = presentation->ending.status;
    char *words = NULL;
    int size;

    if (has_printed || !form_of(presentation)->is_prose || presentation->ending.pid == 0 ||
        status == 0)
        return;
    if (WIFSIGNALED(status))
        size = asprintf(&words, "%s was ended by %s; nothing was found", presentation->program,
                        name_of_signal(WTERMSIG(status)));
    else
        size = asprintf(&words, "%s ended with status %d; nothing was found", presentation->program,
                        WEXITSTATUS(status));
    if (size >= 0)
        print_line(presentation, presentation->ending.pid, "", words);
    free(words);
}

static void print(const struct nsd_presentation *presentation,
                  const struct nsd_collection *collection, const struct nsd_gaps *gaps) {
    has_printed = false;
    print_images(presentation, collection);
    print_gaps(presentation, gaps);
    if (collection->silent > 0 && presentation->verbosity >= 1)
        print_silent(presentation, collection->silent);
    print_ending(presentation);
    fflush(presentation->out);
}

enum nsd_judgement present__report(const struct nsd_presentation *presentation,
                                   const struct nsd_collection *collection) {
    struct nsd_gaps gaps;

    gaps__find(&gaps, collection, &presentation->ending);
    if (presentation->out != NULL)
        print(presentation, collection, &gaps);
    for (size_t i = 0; i < collection->count; i++) {
        if (collection->image[i].coverage.errors + collection->image[i].coverage.warnings > 0)
            return NSD_JUDGED_FOUND;
    }
    return gaps__first_that_counts(&gaps, presentation->strict) != NSD_GAP_COUNT
               ? NSD_JUDGED_NOT_ALL
               : NSD_JUDGED_CLEAN;
}
