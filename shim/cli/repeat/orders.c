/*
 * Turns findings and events of a run into signs, see orders.h. A sign says where calls were made.
 * It does not contain numbers that differ from run to run: threads, and all goroutines but the
 * first.
 */
#include "cli/repeat/orders.h"
#include "ledger/kinds.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call that later calls are compared with. */
struct step {
    char words[128]; /* "unshare (launcher.go:35)" */
    char call[32];
    int32_t tid;
    int64_t goroutine;
    nsd_kinds kinds;
    bool is_switch;
    bool thread_ended;
};

#define STEPS_MOST 64

/* What is remembered of an image: its latest switches, and the latest call of each goroutine. */
struct story {
    struct nsd_tally *tally;
    const char *program;
    struct step switches[STEPS_MOST];
    struct step latest[STEPS_MOST];
    unsigned switch_count, latest_count;
};

static void saw(const struct story *story, enum nsd_sign_kind kind, const char *words) {
    tally__saw(story->tally, kind, words, words, NULL);
}

/* ---- words ---- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* At verbosity 3 stacks keep the frames by which Go makes a system call. */
static bool is_callers_own(const char *function) {
    static const char *const carriers[] = {
        "syscall.",         "internal/runtime/syscall", "runtime/internal/syscall",
        "internal/syscall", "golang.org/x/sys/unix.",   "runtime.",
    };

    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
        if (strncmp(function, carriers[i], strlen(carriers[i])) == 0)
            return false;
    }
    return true;
}

/* The innermost frame of the caller's own code, else the innermost one; NULL without any. */
static const struct nsd_view_frame *own_frame(const struct nsd_view_stack *stack) {
    for (unsigned i = 0; i < stack->depth; i++) {
        if (stack->frame[i].function != NULL && is_callers_own(stack->frame[i].function))
            return &stack->frame[i];
    }
    return stack->depth > 0 ? &stack->frame[0] : NULL;
}

static void put_place(const struct nsd_view_stack *stack, char *place, size_t size) {
    const struct nsd_view_frame *frame = own_frame(stack);

    place[0] = '\0';
    if (frame != NULL && frame->file != NULL && frame->line != 0)
        snprintf(place, size, "%.80s:%u", base_name(frame->file), (unsigned) frame->line);
}

static void describe(const struct nsd_view_event *event, struct step *step) {
    char place[96];

    memset(step, 0, sizeof *step);
    snprintf(step->call, sizeof step->call, "%s", event->call.name);
    put_place(&event->lines, place, sizeof place);
    snprintf(step->words, sizeof step->words, "%.24s%s%s%s", event->call.name,
             place[0] != '\0' ? " (" : "", place, place[0] != '\0' ? ")" : "");
    step->tid = event->tid;
    step->goroutine = event->goroutine;
    for (unsigned i = 0; i < event->kind_count; i++) {
        enum nsd_kind kind = kinds__by_name(event->kinds[i], (unsigned) strlen(event->kinds[i]));

        if (kind < NSD_KINDS)
            step->kinds = (nsd_kinds) (step->kinds | NSD_KIND_BIT(kind));
    }
    step->is_switch =
        strcmp(event->call.name, "unshare") == 0 || strcmp(event->call.name, "setns") == 0;
}

/* Goroutines other than the first have other numbers in each run. */
static const char *name_of_goroutine(int64_t goroutine) {
    return goroutine == 1 ? "goroutine 1" : "a goroutine";
}

/* ---- steps ---- */

/* The last switch of one of these kinds: by the goroutine itself, else by another one. */
static const struct step *switch_before(const struct story *story, const struct step *step) {
    const struct step *others = NULL;

    for (unsigned i = story->switch_count; i > 0; i--) {
        const struct step *one = &story->switches[i - 1];

        if ((one->kinds & step->kinds) == 0)
            continue;
        if (step->goroutine <= 0 || one->goroutine == step->goroutine)
            return one;
        if (others == NULL)
            others = one;
    }
    return others;
}

static struct step *latest_of(struct story *story, int64_t goroutine) {
    for (unsigned i = 0; i < story->latest_count; i++) {
        if (story->latest[i].goroutine == goroutine)
            return &story->latest[i];
    }
    if (story->latest_count == STEPS_MOST)
        return NULL;
    memset(&story->latest[story->latest_count], 0, sizeof story->latest[0]);
    return &story->latest[story->latest_count++];
}

static void keep_switch(struct story *story, const struct step *step) {
    if (story->switch_count == STEPS_MOST) {
        memmove(story->switches, story->switches + 1, (STEPS_MOST - 1) * sizeof story->switches[0]);
        story->switch_count--;
    }
    story->switches[story->switch_count++] = *step;
}

/* ---- signs of the order of two calls ---- */

static void compare_threads(const struct story *story, const struct step *step,
                            const struct step *before) {
    char words[400];

    snprintf(words, sizeof words, "%s on %s %s", step->words,
             step->tid == before->tid ? "the thread of" : "another thread than", before->words);
    saw(story, NSD_SIGN_THREADS, words);
}

static void compare_with_latest(struct story *story, const struct step *step) {
    struct step *latest;
    char words[400];

    if (step->goroutine <= 0)
        return;
    latest = latest_of(story, step->goroutine);
    if (latest == NULL)
        return;
    if (latest->goroutine != 0 && latest->tid != step->tid) {
        snprintf(words, sizeof words, "%s went on on another thread between %s and %s",
                 name_of_goroutine(step->goroutine), latest->words, step->words);
        saw(story, NSD_SIGN_MIGRATION, words);
    }
    *latest = *step;
}

static void note_deaths(const struct story *story, const struct step *exec) {
    char words[400];

    for (unsigned i = 0; i < story->switch_count; i++) {
        if (!story->switches[i].thread_ended)
            continue;
        snprintf(words, sizeof words, "the thread of %s had ended at %s", story->switches[i].words,
                 exec->words);
        saw(story, NSD_SIGN_DEATH, words);
    }
}

static void thread_ended(struct story *story, int32_t tid) {
    for (unsigned i = 0; i < story->switch_count; i++) {
        if (story->switches[i].tid == tid)
            story->switches[i].thread_ended = true;
    }
}

static void thread_born(const struct story *story, int32_t parent) {
    char words[400];

    for (unsigned i = story->switch_count; i > 0; i--) {
        if (story->switches[i - 1].tid != parent)
            continue;
        snprintf(words, sizeof words, "a thread was born of the thread of %s after it",
                 story->switches[i - 1].words);
        saw(story, NSD_SIGN_BIRTH, words);
        return;
    }
}

static void read_event(struct story *story, const struct nsd_view_event *event) {
    const struct step *before;
    struct step step;
    char words[400];

    if (event->call.name == NULL)
        return;
    if (strcmp(event->call.name, "thread start") == 0) {
        thread_born(story, event->other_tid);
        return;
    }
    if (strcmp(event->call.name, "thread end") == 0 ||
        strcmp(event->call.name, "pthread_exit") == 0) {
        thread_ended(story, event->tid);
        return;
    }
    describe(event, &step);
    if (step.kinds == 0)
        return;
    if (event->call.has_result && event->call.error != NULL) {
        snprintf(words, sizeof words, "%s failed: %s", step.words, event->call.error);
        saw(story, NSD_SIGN_FAILED_CALL, words);
        return;
    }
    if (step.is_switch) {
        snprintf(words, sizeof words, "%s on %s", step.words,
                 step.tid == event->image.pid ? "the main thread"
                                              : "a thread that is not the main one");
        saw(story, NSD_SIGN_PLACE, words);
    }
    before = switch_before(story, &step);
    if (before != NULL) {
        compare_threads(story, &step, before);
        compare_with_latest(story, &step);
        if (strcmp(step.call, "execve") == 0)
            note_deaths(story, &step);
    }
    if (step.is_switch) {
        struct step *latest = step.goroutine > 0 ? latest_of(story, step.goroutine) : NULL;

        keep_switch(story, &step);
        if (latest != NULL)
            *latest = step;
    }
}

static void read_finding(struct nsd_tally *tally, const struct nsd_view_finding *finding) {
    char place[96], words[256], detail[400], key[600];
    unsigned severity = strcmp(finding->severity, "error") == 0     ? 2
                        : strcmp(finding->severity, "warning") == 0 ? 1
                                                                    : 0;
    const struct nsd_view_frame *frame = own_frame(&finding->stack);
    const char *function = frame != NULL ? frame->function : NULL;
    struct nsd_sign *sign;

    put_place(&finding->stack, place, sizeof place);
    snprintf(words, sizeof words, "%.10s: %.40s %.20s", finding->severity, finding->rule,
             finding->fingerprint);
    snprintf(detail, sizeof detail, "%.80s%s%.140s%s%s",
             finding->call.name != NULL ? finding->call.name : "", function != NULL ? " in " : "",
             function != NULL ? function : "", place[0] != '\0' ? " " : "", place);
    sign = tally__saw(tally, NSD_SIGN_FINDING, finding->fingerprint, words, detail);
    if (sign != NULL)
        sign->severity = severity;
    for (unsigned i = 0; i < finding->consequence_count; i++) {
        const struct nsd_view_consequence *then = &finding->consequences[i];

        put_place(&then->stack, place, sizeof place);
        snprintf(detail, sizeof detail, "%.40s, then %.40s%s%s", finding->rule, then->rule,
                 place[0] != '\0' ? " at " : "", place);
        snprintf(key, sizeof key, "%.40s %s", finding->fingerprint, detail);
        tally__saw(tally, NSD_SIGN_CONSEQUENCE, key, detail, NULL);
    }
}

static void read_image(const struct nsd_report_image *image, struct story *story) {
    story->switch_count = story->latest_count = 0;
    for (size_t i = 0; i < image->events; i++)
        read_event(story, &image->event[i]);
    for (size_t i = 0; i < image->findings; i++)
        read_finding(story->tally, &image->finding[i]);
}

void orders__read(const struct nsd_collection *collection, struct nsd_tally *tally) {
    static struct story story;

    story.tally = tally;
    for (size_t i = 0; i < collection->count; i++)
        read_image(&collection->image[i], &story);
}
