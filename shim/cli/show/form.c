/*
 * The table of forms, see form.h, and what the two forms add to the functions that the library has
 * for them (report/text.h, report/json.h).
 */
#include "cli/show/form.h"
#include "report/json.h"
#include "report/text.h"

/* ---- text ---- */

void form__line(struct nsd_text *text, int32_t pid, const char *head, const char *words) {
    as_text__prefix(text, pid);
    text__put(text, head);
    text__put(text, words);
    text__put(text, ".\n");
}

static void closing_as_text(struct nsd_text *text, const struct nsd_report_image *image,
                            bool say_notes) {
    struct nsd_view_coverage view = image->coverage;

    view.say_notes = say_notes;
    if (!image__is_unwatched(image)) {
        as_text__coverage(text, &view);
        return;
    }
    as_text__prefix(text, view.image.pid);
    text__put(text, "not watched: ");
    text__put(text, view.path != NULL ? view.path : "a program");
    text__put(text, ": ");
    text__put(text, view.missing[0].why);
    text__put(text, ".\n");
}

static void gap_as_text(struct nsd_text *text, const struct nsd_gap_words *said) {
    form__line(text, said->pid,
               gap__is_of_image(said->gap) ? "not judged: " : "not watched: ", said->words);
}

/* ---- JSON ---- */

static void finding_as_json(struct nsd_text *text, const struct nsd_view_finding *finding,
                            bool colour) {
    (void) colour;
    as_json__finding(text, finding);
}

static void closing_as_json(struct nsd_text *text, const struct nsd_report_image *image,
                            bool say_notes) {
    struct nsd_view_coverage view = image->coverage;
    enum nsd_gap gap = gaps__of_image(image);

    view.say_notes = say_notes;
    if (gap != NSD_GAP_COUNT && gap__line(gap) == NSD_GAP_OWN_LINE)
        view.unjudged = gap__why(gap, image);
    as_json__coverage(text, &view);
}

/* A gap that no image's closing line has is a closing line of its own. */
static void gap_as_json(struct nsd_text *text, const struct nsd_gap_words *said) {
    struct nsd_view_coverage view = {.image = {.pid = said->pid, .program = said->program}};

    if (gap__is_of_image(said->gap))
        return;
    if (said->gap == NSD_GAP_COMMAND_KILLED)
        view.ended = "killed";
    view.missing[view.missing_count++] = (struct nsd_view_missing){"image", said->words};
    as_json__coverage(text, &view);
}

static const struct nsd_form forms[] = {
    [NSD_FORM_TEXT] =
        {
            .is_prose = true,
            .severity = 1,
            .finding = as_text__finding,
            .thread = as_text__thread,
            .event = as_text__event,
            .closing = closing_as_text,
            .gap = gap_as_text,
        },
    [NSD_FORM_JSON] =
        {
            .finding = finding_as_json,
            .thread = as_json__thread,
            .event = as_json__event,
            .closing = closing_as_json,
            .gap = gap_as_json,
        },
};

const struct nsd_form *form__of(enum nsd_form_number number) {
    return &forms[number];
}
