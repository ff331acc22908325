/*
 * The forms of a report: one row for each in the table of form.c. Called by present.c, which
 * decides what is shown; a form says how. Reads no recording.
 *
 * To add a form whose report is made of views in their order: a file of functions like
 * report/json.c, but in this folder, because only the command prints the form; a name below; a row
 * in form.c; an option of `nsdrift report`, which the call of pager__begin there must know too. No
 * form can print anything before the first view or after the last one.
 */
#ifndef NSD_CLI_SHOW_FORM_H
#define NSD_CLI_SHOW_FORM_H

#include "base/text.h"
#include "cli/read/gaps.h"
#include "report/view.h"
#include <stdbool.h>

enum nsd_form_number {
    NSD_FORM_TEXT,
    NSD_FORM_JSON,
};

/* A gap that is said apart from the closing lines of images. */
struct nsd_gap_words {
    enum nsd_gap gap;
    int32_t pid;
    const char *program; /* of the run */
    const char *words;
};

/* No function is NULL: a form that leaves a view out has one that adds nothing. */
struct nsd_form {
    /* For people: lines are broken on a terminal, a closing line is printed only if it has news. */
    bool is_prose;
    unsigned severity; /* the least that is printed, unless the user says: 0 note, 1 warning */
    void (*finding)(struct nsd_text *text, const struct nsd_view_finding *finding, bool colour);
    void (*thread)(struct nsd_text *text, const struct nsd_view_thread *thread);
    void (*event)(struct nsd_text *text, const struct nsd_view_event *event);
    void (*closing)(struct nsd_text *text, const struct nsd_report_image *image, bool say_notes);
    /* May add nothing, where the closing line of an image has said it. */
    void (*gap)(struct nsd_text *text, const struct nsd_gap_words *said);
};

const struct nsd_form *form__of(enum nsd_form_number number);
/* Text: one line, "==PID==nsdrift: HEAD WORDS." */
void form__line(struct nsd_text *text, int32_t pid, const char *head, const char *words);

#endif
