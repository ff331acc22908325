/*
 * Composes views of findings and events, see compose.h. Makes no system call except those by which
 * naming reads the symbols of a module.
 */
#include "report/compose.h"
#include "ledger/labels.h"
#include "names/naming.h"
#include "names/pclntab.h"
#include "names/recorded.h"
#include "report/fingerprint.h"
#include "report/symbols.h"
#include "report/wording.h"

void compose__image(struct nsd_view_image *view, const struct nsd_image *image) {
    view->pid = image->pid;
    view->pid_ns = image->pid_ns;
    view->program = image->program;
}

const char *compose__time(const struct nsd_compose *compose, uint64_t ticks) {
    char buffer[40];
    struct nsd_text text;

    text__begin(&text, buffer, sizeof buffer);
    text__iso_time(&text, clock__to_wall(&compose->image->clock, compose->now_ticks,
                                         compose->now_wall, ticks));
    return scratch__string(compose->scratch, text__string(&text));
}

/* ---- locks ---- */

static const struct {
    uint8_t locked;
    const char *word;
} locks[] = {
    [NSD_LOCK_NONE] = {NSD_VIEW_LOCKED_UNKNOWN, NULL},
    [NSD_LOCK_UNKNOWN] = {NSD_VIEW_LOCKED_UNKNOWN, NULL},
    [NSD_LOCK_UNLOCKED] = {NSD_VIEW_LOCKED_NO, NULL},
    [NSD_LOCK_PINNED] = {NSD_VIEW_LOCKED_YES, "pinned"},
    [NSD_LOCK_EXTERNAL] = {NSD_VIEW_LOCKED_YES, NULL},
    [NSD_LOCK_INTERNAL] = {NSD_VIEW_LOCKED_YES, "by the runtime"},
    [NSD_LOCK_CGO] = {NSD_VIEW_LOCKED_YES, "during this cgo call"},
    [NSD_LOCK_WEDGED] = {NSD_VIEW_LOCKED_YES, "its goroutine has ended"},
};

enum nsd_view_locked compose__locked(enum nsd_lock_state lock, const char **word) {
    if ((unsigned) lock >= sizeof locks / sizeof locks[0])
        lock = NSD_LOCK_NONE;
    *word = locks[lock].word;
    return (enum nsd_view_locked) locks[lock].locked;
}

/* ---- stacks ---- */

/*
 * Copies the string into the scratch memory; an empty string becomes NULL. False if there is no
 * room.
 */
static bool put_string(const struct nsd_compose *compose, const char *from, const char **to) {
    *to = scratch__string(compose->scratch, from);
    return *to != NULL || from[0] == '\0';
}

static const char *build_id_of(const struct nsd_compose *compose, const struct nsd_module *module) {
    char digits[2 * NSD_BUILD_ID_MOST + 1];
    struct nsd_text text;

    text__begin(&text, digits, sizeof digits);
    for (unsigned i = 0; i < module->build_id_size && i < NSD_BUILD_ID_MOST; i++)
        text__hex(&text, module->build_id[i], 2);
    return scratch__string(compose->scratch, text__string(&text));
}

/* False if the scratch memory is full: then the frame is not to be used. */
static bool compose_frame(const struct nsd_compose *compose, const struct nsd_place *place,
                          struct nsd_view_frame *frame, const struct nsd_view_frame *previous) {
    memory__fill(frame, 0, sizeof *frame);
    if (!put_string(compose, place->function, &frame->function) ||
        !put_string(compose, place->file, &frame->file))
        return false;
    frame->line = place->line;
    frame->offset = place->offset;
    if (place->module == NULL)
        return true;
    frame->module = place->module->path;
    if (previous != NULL && previous->module == frame->module)
        frame->build_id = previous->build_id;
    else
        frame->build_id = build_id_of(compose, place->module);
    return true;
}

/* The outermost frame of every goroutine. Go's own tracebacks leave it out as well. */
static bool is_goroutine_bottom(const struct nsd_view_frame *frame) {
    return frame->function != NULL && (string__equal(frame->function, "runtime.goexit") ||
                                       string__equal(frame->function, "runtime.goexit.abi0"));
}

/*
 * Static, since a hook's stack is small. The ledger's lock lets in one report or event at a time.
 */
static struct nsd_place looked_up;

/* A stack in two extents: the caller's own frames, and the frames that the report shows. */
struct both {
    struct nsd_view_stack own, shown;
};

/*
 * Looks list[0] up in the debug information. It becomes as many frames as functions were inlined
 * there, and itself. Its own name stays as recorded. Returns the number of frames.
 */
static unsigned compose_source(const struct nsd_compose *compose, struct nsd_view_frame *list) {
    struct nsd_view_frame own = list[0], calls[NSD_COMPOSE_CALLS];
    unsigned count = 0;

    if (compose->source != NULL && own.file == NULL && own.module != NULL)
        count = compose->source(&own, calls);
    for (unsigned i = 0; i < count; i++) {
        list[i] = own;
        list[i].file = calls[i].file;
        list[i].line = calls[i].line;
        if (i + 1 < count || own.function == NULL)
            list[i].function = calls[i].function;
    }
    return count > 0 ? count : 1;
}

static void compose_both(const struct nsd_compose *compose, const struct nsd_frames *frames,
                         struct both *both) {
    unsigned calls = compose->source != NULL ? NSD_COMPOSE_CALLS : 1;
    struct nsd_place *place = &looked_up;
    struct nsd_view_frame *list;
    unsigned depth = 0, plumbing = 0, end, used = 0;
    bool at_top = true;

    memory__fill(both, 0, sizeof *both);
    if (frames == NULL)
        return;
    list = scratch__take(compose->scratch, frames->depth * calls * sizeof *list);
    for (; list != NULL && used < frames->depth; used++) {
        naming__place(frames->frame[used].pc, false, place);
        if (!compose_frame(compose, place, &list[depth], depth > 0 ? &list[depth - 1] : NULL))
            break;
        at_top = at_top && naming__is_plumbing(place);
        if (at_top)
            plumbing++;
        depth += at_top ? 1 : compose_source(compose, &list[depth]);
    }
    end = depth > 1 && is_goroutine_bottom(&list[depth - 1]) ? depth - 1 : depth;
    /* If every frame is plumbing (the runtime made the call itself), all of them are shown. */
    if (plumbing >= end)
        plumbing = 0;
    both->own.frame = list != NULL ? list + plumbing : NULL;
    both->own.depth = end - plumbing;
    both->own.left_out = frames->depth - used;
    both->shown = both->own;
    if (compose->keep_plumbing) {
        both->shown.frame = list;
        both->shown.depth = depth;
    }
}

void compose__stack(const struct nsd_compose *compose, const struct nsd_frames *frames,
                    struct nsd_view_stack *stack) {
    struct both both;

    compose_both(compose, frames, &both);
    *stack = both.shown;
}

/* ---- calls ---- */

/*
 * True for calls whose result says something. The others are recorded before the call is made, or
 * are no calls.
 */
static bool has_result(enum nsd_call call) {
    if (call == NSD_CALL_EXEC)
        return false;
    if (call == NSD_CALL_THREAD_NOT_CREATED)
        return true;
    switch (nsd_call_table[call].effect) {
    case NSD_EFFECT_NONE:
        return call != NSD_CALL_NONE;
    case NSD_EFFECT_SWITCH:
    case NSD_EFFECT_PROCESS:
    case NSD_EFFECT_DESCRIPTOR:
        return true;
    default:
        return false;
    }
}

static void compose_call(const struct nsd_compose *compose, enum nsd_call call,
                         const uint64_t arguments[5], int64_t result, struct nsd_view_call *view) {
    char buffer[1024]; /* has room for all flags that have names */
    struct nsd_text text;

    memory__fill(view, 0, sizeof *view);
    if (call == NSD_CALL_NONE || call >= NSD_CALLS)
        return;
    view->name = nsd_call_table[call].text;
    text__begin(&text, buffer, sizeof buffer);
    symbols__arguments(&text, call, arguments);
    view->arguments = scratch__string(compose->scratch, text__string(&text));
    view->has_result = has_result(call);
    view->result = result;
    if (view->has_result && result < 0 && result >= -4095)
        view->error = symbols__errno(result);
}

/* Enough frames to tell who made the call. */
#define LINES_MOST 8u

/*
 * Adds the program's own lines as far as they can be found in memory, which is Go's. An event is
 * printed while the program works: no file may be opened then.
 */
static void compose_lines(const struct nsd_compose *compose, const struct nsd_frames *frames,
                          struct nsd_view_stack *stack) {
    struct nsd_view_frame *list = NULL;
    struct nsd_place *place = &looked_up;

    if (frames != NULL)
        list = scratch__take(compose->scratch, LINES_MOST * sizeof *list);
    if (list == NULL)
        return;
    stack->frame = list;
    for (unsigned i = 0; i < frames->depth && stack->depth < LINES_MOST; i++) {
        struct nsd_view_frame *frame = &list[stack->depth];

        if (!naming__uses_recorded() && pclntab__of(frames->frame[i].pc - 1) == NULL)
            continue;
        naming__place(frames->frame[i].pc, false, place);
        if (!place->is_go || naming__is_plumbing(place))
            continue;
        memory__fill(frame, 0, sizeof *frame);
        if (!put_string(compose, place->function, &frame->function) ||
            !put_string(compose, place->file, &frame->file))
            break;
        frame->line = place->line;
        stack->depth++;
    }
}

void compose__event(const struct nsd_compose *compose, const struct nsd_event *event,
                    struct nsd_view_event *view) {
    memory__fill(view, 0, sizeof *view);
    compose__image(&view->image, compose->image);
    view->time = compose__time(compose, event->time);
    view->tid = event->tid;
    view->other_tid = event->other_tid;
    view->goroutine = event->goroutine;
    view->locked = compose__locked((enum nsd_lock_state) event->lock, &view->lock);
    compose_call(compose, (enum nsd_call) event->call, event->arguments, event->result,
                 &view->call);
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((event->kinds & NSD_KIND_BIT(kind)) != 0)
            view->kinds[view->kind_count++] = kinds__name((enum nsd_kind) kind);
    }
    compose_lines(compose, event->frames, &view->lines);
}

/* ---- findings ---- */

static uint64_t inode_of(const struct nsd_label *label) {
    const struct nsd_identity *identity = label__identity(label);

    return identity != NULL ? identity->inode : 0;
}

static bool is_about(const struct nsd_finding *finding, unsigned kind) {
    if ((finding->kinds & NSD_ALL_KINDS) != 0)
        return (finding->kinds & NSD_KIND_BIT(kind)) != 0;
    return finding->before[kind] != NULL || finding->after[kind] != NULL ||
           finding->home[kind] != NULL;
}

static void compose_namespaces(const struct nsd_finding *finding, struct nsd_view_finding *view) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        struct nsd_view_namespace *one = &view->namespaces[view->namespace_count];

        if (!is_about(finding, kind))
            continue;
        one->kind = kinds__name((enum nsd_kind) kind);
        one->before = inode_of(finding->before[kind]);
        one->after = inode_of(finding->after[kind]);
        one->home = inode_of(finding->home[kind]);
        view->namespace_count++;
    }
}

/* A sink that only counts bytes. */
static void count_bytes(struct nsd_text *text, void *context) {
    *(size_t *) context += text->used;
    text->used = 0;
}

static size_t length_of_words(nsd_words words, const struct nsd_wording *about) {
    char buffer[64];
    struct nsd_text text;
    size_t length = 0;

    text__begin(&text, buffer, sizeof buffer);
    text.sink = count_bytes;
    text.context = &length;
    wording__expand(&text, words, about);
    return length + text.used;
}

/* NULL if there are no words or no room for all of them. */
static const char *expand(const struct nsd_compose *compose, nsd_words words,
                          const struct nsd_wording *about) {
    struct nsd_text text;
    size_t size;
    char *room;

    if (words == NULL)
        return NULL;
    size = length_of_words(words, about) + 1;
    room = scratch__take(compose->scratch, size);
    if (room == NULL)
        return NULL;
    text__begin(&text, room, size);
    wording__expand(&text, words, about);
    return text__string(&text);
}

static bool has_own_switch(const struct nsd_finding *finding) {
    return finding->switch_frames != NULL && finding->switch_frames != finding->frames;
}

/*
 * The stack of the switch that the finding belongs to; the finding's own stack if that is the same.
 */
static void compose_switch(const struct nsd_compose *compose, const struct nsd_finding *finding,
                           const struct both *own, struct both *switched) {
    *switched = *own;
    if (has_own_switch(finding))
        compose_both(compose, finding->switch_frames, switched);
}

/*
 * Uses the names that the host knew and no debug information, which may be installed today and gone
 * tomorrow.
 */
static const char *fingerprint_of(const struct nsd_compose *compose,
                                  const struct nsd_finding *finding, struct both own,
                                  struct both switched) {
    struct nsd_compose plain = *compose;
    bool has_switch = has_own_switch(finding);
    char buffer[17];
    struct nsd_text text;

    plain.source = NULL;
    if (compose->source != NULL) {
        compose_both(&plain, finding->frames, &own);
        compose_switch(&plain, finding, &own, &switched);
    }
    text__begin(&text, buffer, sizeof buffer);
    text__hex(&text,
              fingerprint__of(rules__name(finding->rule), compose->image->program, &own.own,
                              has_switch ? &switched.own : NULL),
              16);
    return scratch__string(compose->scratch, text__string(&text));
}

static unsigned count_consequences(const struct nsd_finding *finding) {
    unsigned count = 0;

    for (const struct nsd_finding *then = finding->consequences; then != NULL; then = then->next)
        count += !then->withdrawn;
    return count;
}

static bool compose_consequence(const struct nsd_compose *compose, const struct nsd_finding *then,
                                struct nsd_view_consequence *one, struct nsd_wording *about) {
    struct both own, switched;

    memory__fill(one, 0, sizeof *one);
    compose_both(compose, then->frames, &own);
    compose_switch(compose, then, &own, &switched);
    about->finding = then;
    about->stack = &own.own;
    about->switch_stack = &switched.own;
    one->stack = own.shown;
    one->rule = rules__name(then->rule);
    one->severity = severity__name(then->severity);
    one->message = expand(compose, then->message, about);
    one->tid = then->tid;
    one->goroutine = then->goroutine;
    return one->message != NULL;
}

/* Composes as many as there is room for, and counts the others. */
static void compose_consequences(const struct nsd_compose *compose,
                                 const struct nsd_finding *finding, struct nsd_view_finding *view,
                                 struct nsd_wording *about) {
    unsigned count = count_consequences(finding);
    struct nsd_view_consequence *list = NULL;

    if (count > 0)
        list = scratch__take(compose->scratch, count * sizeof *list);
    view->consequences = list;
    for (const struct nsd_finding *then = finding->consequences; list != NULL && then != NULL;
         then = then->next) {
        if (then->withdrawn)
            continue;
        if (!compose_consequence(compose, then, &list[view->consequence_count], about))
            break;
        view->consequence_count++;
    }
    view->consequences_left_out = count - view->consequence_count;
}

_Static_assert(NSD_RELATED_MOST <= NSD_VIEW_RELATED, "a view has room for them");

/* Composes the related stacks, and leaves room for the words of the finding. */
static void compose_related(const struct nsd_compose *compose, const struct nsd_finding *finding,
                            struct nsd_view_finding *view) {
    struct nsd_scratch *scratch = compose->scratch;
    const size_t size = scratch->size;
    bool is_bounded = scratch->grow == NULL && size > NSD_COMPOSE_WORDS;

    if (is_bounded)
        scratch->size = size - NSD_COMPOSE_WORDS;
    for (unsigned i = 0; i < finding->related_count && i < NSD_RELATED_MOST; i++) {
        const struct nsd_related *related = &finding->related[i];
        struct nsd_view_related *one = &view->related[view->related_count];

        if (related->frames == NULL && related->tid == 0)
            continue;
        one->what = related->what != NULL ? related->what : "see also";
        one->tid = related->tid;
        one->goroutine = related->goroutine;
        compose__stack(compose, related->frames, &one->stack);
        view->related_count++;
    }
    if (is_bounded)
        scratch->size = size;
}

void compose__finding(const struct nsd_compose *compose, const struct nsd_finding *finding,
                      struct nsd_view_finding *view) {
    const struct nsd_view_stack *stacks[2 + NSD_VIEW_RELATED];
    struct nsd_wording about = {.finding = finding, .leader = compose->image->leader};
    struct both own, switched;

    memory__fill(view, 0, sizeof *view);
    compose__image(&view->image, compose->image);
    compose_both(compose, finding->frames, &own);
    compose_switch(compose, finding, &own, &switched);
    view->stack = own.shown;
    compose_related(compose, finding, view);

    stacks[about.stack_count++] = &own.shown;
    stacks[about.stack_count++] = &switched.shown;
    for (unsigned i = 0; i < view->related_count; i++)
        stacks[about.stack_count++] = &view->related[i].stack;
    about.stacks = stacks;
    about.stack = &own.own;
    about.switch_stack = &switched.own;

    view->rule = rules__name(finding->rule);
    view->severity = severity__name(finding__severity(finding));
    view->message = expand(compose, finding->message, &about);
    if (view->message == NULL)
        view->message = "";
    view->remedy = expand(compose, finding->remedy, &about);
    view->fingerprint = fingerprint_of(compose, finding, own, switched);
    view->time = compose__time(compose, finding->time);
    view->count = finding->count;
    view->tid = finding->tid;
    view->goroutine = finding->goroutine;
    view->main_thread = finding->main_thread;
    view->locked = compose__locked((enum nsd_lock_state) finding->lock, &view->lock);
    compose_call(compose, (enum nsd_call) finding->call, finding->arguments, finding->result,
                 &view->call);
    compose_namespaces(finding, view);
    compose_consequences(compose, finding, view, &about);
}
