/*
 * Fills in templates, see wording.h. One row for each place; a % that no row knows is put as it is.
 */
#include "report/wording.h"
#include "base/memory.h"
#include "report/symbols.h"
#include "report/text.h"

static void put_thread(struct nsd_text *text, int32_t tid, const struct nsd_wording *about) {
    text__put(text, "thread ");
    text__signed(text, tid);
    if (tid == about->leader)
        text__put(text, " (main)");
}

static void put_own_thread(struct nsd_text *text, const struct nsd_wording *about) {
    put_thread(text, about->finding->tid, about);
}

static void put_other_thread(struct nsd_text *text, const struct nsd_wording *about) {
    if (about->finding->other_tid == 0)
        text__put(text, "another thread");
    else
        put_thread(text, about->finding->other_tid, about);
}

static void put_who(struct nsd_text *text, const struct nsd_wording *about) {
    if (about->finding->goroutine == 0) {
        put_own_thread(text, about);
        return;
    }
    text__put(text, "goroutine ");
    text__signed(text, about->finding->goroutine);
}

/* mnt | mnt and net | ipc, mnt and net */
static void put_kinds(struct nsd_text *text, const struct nsd_wording *about) {
    const char *names[NSD_KINDS + 2];
    unsigned count = 0;

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((about->finding->kinds & NSD_KIND_BIT(kind)) != 0)
            names[count++] = kinds__name((enum nsd_kind) kind);
    }
    if ((about->finding->kinds & NSD_PRIVATE_FS) != 0)
        names[count++] = "private fs";
    if ((about->finding->kinds & NSD_PRIVATE_FILES) != 0)
        names[count++] = "private files";
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            text__put(text, i + 1 == count ? " and " : ", ");
        text__put(text, names[i]);
    }
}

static void put_call(struct nsd_text *text, const struct nsd_wording *about) {
    enum nsd_call call = (enum nsd_call) about->finding->call;

    if (call >= NSD_CALLS)
        return;
    text__put(text, nsd_call_table[call].text);
    text__put_char(text, '(');
    symbols__arguments(text, call, about->finding->arguments);
    text__put_char(text, ')');
}

static void put_error(struct nsd_text *text, const struct nsd_wording *about) {
    const char *name = symbols__errno(about->finding->result);

    if (name != NULL)
        text__put(text, name);
    else
        text__signed(text, about->finding->result);
}

static void put_line_of(struct nsd_text *text, const struct nsd_view_stack *stack,
                        const struct nsd_wording *about) {
    if (stack == NULL || stack->depth == 0) {
        text__put(text, "that call");
        return;
    }
    as_text__frame_line(text, &stack->frame[0], about->stacks, about->stack_count);
}

static void put_line(struct nsd_text *text, const struct nsd_wording *about) {
    put_line_of(text, about->stack, about);
}

/*
 * For a stack that begins in C: the line of the program's own Go code that called it, if there is
 * one.
 */
static void put_go_line(struct nsd_text *text, const struct nsd_wording *about) {
    const struct nsd_view_stack *stack = about->stack;

    for (unsigned i = 0; stack != NULL && i < stack->depth; i++) {
        const struct nsd_view_frame *frame = &stack->frame[i];

        if (frame->line == 0 || frame->function == NULL || frame->file == NULL ||
            string__begins(frame->function, "runtime.") ||
            string__equal(string__base_name(frame->file), "_cgo_gotypes.go"))
            continue;
        as_text__frame_line(text, frame, about->stacks, about->stack_count);
        return;
    }
    put_line(text, about);
}

static void put_switch_line(struct nsd_text *text, const struct nsd_wording *about) {
    put_line_of(text, about->switch_stack, about);
}

static const struct {
    char place;
    void (*put)(struct nsd_text *text, const struct nsd_wording *about);
} places[] = {
    {'t', put_own_thread}, {'T', put_other_thread}, {'w', put_who},
    {'k', put_kinds},      {'c', put_call},         {'e', put_error},
    {'l', put_line},       {'s', put_switch_line},  {'g', put_go_line},
};

void wording__expand(struct nsd_text *text, nsd_words words, const struct nsd_wording *about) {
    for (; *words != '\0'; words++) {
        unsigned i = 0;

        if (words[0] != '%' || words[1] == '\0') {
            text__put_char(text, words[0]);
            continue;
        }
        while (i < sizeof places / sizeof places[0] && places[i].place != words[1])
            i++;
        if (i == sizeof places / sizeof places[0]) {
            text__put_char(text, words[0]);
            continue;
        }
        places[i].put(text, about);
        words++;
    }
}
