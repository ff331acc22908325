/*
 * Replays one image of a recording: see replayed.h. Its findings, threads and events are composed
 * into views by the functions that a host uses, and copied into the collection.
 */
#include "cli/read/replayed.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/read/source_lines.h"
#include "cli/say.h"
#include "record/replay.h"
#include "report/compose.h"
#include "report/coverage.h"
#include "report/text.h"
#include "report/thread_views.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- memory of the view being composed ---- */

#define PIECE_SIZE (256u * 1024u)

struct piece {
    struct piece *next;
    size_t size;
    max_align_t memory[];
};

/* Scratch memory that grows by pieces, so that a finding of any length has room. */
struct composing {
    struct nsd_scratch scratch; /* first: grow() finds the rest behind it */
    struct piece *pieces;       /* the newest, which `scratch` takes from, first */
};

static void *grow(struct nsd_scratch *scratch, size_t size) {
    struct composing *composing = (struct composing *) scratch;
    size_t room = size > PIECE_SIZE ? size : PIECE_SIZE;
    struct piece *piece = malloc(sizeof *piece + room);

    if (piece == NULL)
        return NULL;
    piece->size = room;
    piece->next = composing->pieces;
    composing->pieces = piece;
    scratch->memory = (char *) piece->memory;
    scratch->size = room;
    scratch->used = size;
    return piece->memory;
}

static void free_pieces(struct piece *piece) {
    while (piece != NULL) {
        struct piece *next = piece->next;

        free(piece);
        piece = next;
    }
}

/* The last view is no longer needed: its newest piece of memory is used again. */
static void begin_view(struct composing *composing) {
    if (composing->pieces != NULL) {
        free_pieces(composing->pieces->next);
        composing->pieces->next = NULL;
    }
    composing->scratch.used = 0;
    composing->scratch.grow = grow;
}

/* One image while it is read. */
struct reading {
    struct nsd_recordings *recordings;
    struct nsd_collection *collection;
    struct nsd_report_image *entry; /* in the collection */
    const struct nsd_part *part;
    struct nsd_image image;
    struct composing composing;
    struct nsd_compose compose;
    struct nsd_timeline *timeline;
    bool gap;
    /* Places of stacks that were looked up: the same few stacks come again and again. */
    struct {
        const struct nsd_frames *frames;
        char *at;
    } place[1024];
};

static unsigned source(const struct nsd_view_frame *frame, struct nsd_view_frame *calls) {
    struct nsd_source_call call[NSD_SOURCE_CALLS];
    unsigned count = source_lines__find(frame->module, frame->build_id, frame->offset, call);

    for (unsigned i = 0; i < count && i < NSD_COMPOSE_CALLS; i++) {
        calls[i].function = call[i].function;
        calls[i].file = call[i].file;
        calls[i].line = call[i].line;
    }
    return count < NSD_COMPOSE_CALLS ? count : NSD_COMPOSE_CALLS;
}

/* ---- an image ---- */

/* A zombie has ended; nobody has waited for it so far (proc(5), the third field of stat). */
static bool is_zombie(int32_t pid) {
    char path[64], line[256], *name_end;
    FILE *file;
    bool read;

    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    file = fopen(path, "re");
    read = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL)
        fclose(file);
    name_end = read ? strrchr(line, ')') : NULL;
    return name_end != NULL &&
           (strncmp(name_end, ") Z", 3) == 0 || strncmp(name_end, ") X", 3) == 0);
}

/* True if the pid is one of our own pid namespace and such a process runs. */
static bool is_alive(const struct nsd_record_facts *facts) {
    struct stat ours;

    return facts->pid > 0 && stat("/proc/self/ns/pid", &ours) == 0 &&
           ours.st_ino == facts->pid_ns && (kill(facts->pid, 0) == 0 || errno == EPERM) &&
           !is_zombie(facts->pid);
}

static const char *ended_of(const struct nsd_recordings *recordings,
                            const struct nsd_record_facts *facts, bool ended) {
    if (!ended)
        return recordings->may_be_alive && is_alive(facts) ? "report" : "killed";
    return facts->ended == NSD_RECORD_EXEC ? "exec" : "exit";
}

static void copy_facts(struct nsd_image *to, const struct nsd_record_facts *from) {
    NSD_PROCESS_FACTS(NSD_FACT_FROM_RECORDING)
    NSD_PROBE_FACTS(NSD_FACT_FROM_RECORDING)
    NSD_COUNT_FACTS(NSD_FACT_FROM_RECORDING)
    NSD_STRING_FACTS(NSD_STRING_FROM_RECORDING)
    to->cross_check =
        from->cross_check <= NSD_CROSS_IMPOSSIBLE ? from->cross_check : NSD_CROSS_IMPOSSIBLE;
}

static void begin_image(struct reading *reading) {
    const struct nsd_record_facts *facts = &reading->part->head.facts;
    struct nsd_image *image = &reading->image;

    copy_facts(image, facts);
    image->program = part__program(reading->part);
    image->clock.start_ticks = facts->start_ticks;
    image->clock.start_wall = facts->start_wall;

    reading->compose.scratch = &reading->composing.scratch;
    reading->compose.image = image;
    reading->compose.now_ticks = facts->last_ticks;
    reading->compose.now_wall = facts->last_wall;
    reading->compose.keep_plumbing = reading->recordings->verbosity >= 3;
    reading->compose.recorded = true;
    reading->compose.source = reading->recordings->debug_info ? source : NULL;
}

/* Reads the probes from the words of the facts (record/format.h). */
static void put_probes(struct nsd_view_coverage *view, const struct nsd_record_facts *facts) {
    const char *at = facts->words, *end = facts->words + sizeof facts->words;

    view->probe_count = view->missing_count = 0;
    for (; at < end && *at != '\0'; at += strnlen(at, (size_t) (end - at)) + 1) {
        if (view->probe_count < NSD_VIEW_PROBES)
            view->probes[view->probe_count++] = at;
    }
    for (at++; at < end && *at != '\0' && view->missing_count < NSD_VIEW_PROBES;) {
        const char *why = at + strnlen(at, (size_t) (end - at)) + 1;

        if (why >= end)
            break;
        view->missing[view->missing_count].probe = at;
        view->missing[view->missing_count++].why = why;
        at = why + strnlen(why, (size_t) (end - why)) + 1;
    }
}

static uint64_t wall_of(const struct reading *reading, uint64_t ticks) {
    return clock__to_wall(&reading->image.clock, reading->compose.now_ticks,
                          reading->compose.now_wall, ticks);
}

static void add_findings(struct reading *reading, const struct nsd_replay *replay,
                         unsigned severity[3]) {
    struct nsd_view_finding view;

    for (const struct nsd_finding *finding = replay->findings.first; finding != NULL;
         finding = finding->next) {
        if (finding->withdrawn)
            continue;
        severity[finding__severity(finding)]++;
        begin_view(&reading->composing);
        compose__finding(&reading->compose, finding, &view);
        collect__finding(reading->collection, reading->entry, &view);
        if (reading->timeline != NULL)
            timeline__finding(reading->timeline, wall_of(reading, finding->time), finding->tid,
                              view.rule, view.severity, view.message);
    }
}

static void add_threads(struct reading *reading, struct nsd_replay *replay) {
    struct nsd_view_thread view;

    if (reading->recordings->verbosity < 2)
        return;
    for (struct nsd_thread *thread = ledger__first_thread(&replay->ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        begin_view(&reading->composing);
        compose__thread(&reading->compose, &replay->ledger, thread, &view);
        collect__thread(reading->collection, reading->entry, &view);
    }
}

/* Where the threads were at the last event: decides about an image without a recorded end. */
static void add_whereabouts(struct reading *reading, struct nsd_replay *replay) {
    for (struct nsd_thread *thread = ledger__first_thread(&replay->ledger); thread != NULL;
         thread = ledger__next_thread(thread))
        reading->entry->away |= ledger__away(&replay->ledger, thread) != 0;
    reading->entry->unsure = replay->from_kept && replay->ledger.touched != 0;
}

static void add_coverage(struct reading *reading, const unsigned severity[3]) {
    struct nsd_view_coverage view;

    begin_view(&reading->composing);
    coverage__view(&view, &reading->image);
    put_probes(&view, &reading->part->head.facts);
    view.time = compose__time(&reading->compose, reading->compose.now_ticks);
    view.unnamed = reading->part->head.unnamed;
    view.errors = severity[NSD_SEVERITY_ERROR];
    view.warnings = severity[NSD_SEVERITY_WARNING];
    view.notes = severity[NSD_SEVERITY_NOTE];
    collect__coverage(reading->collection, reading->entry, &view);
    reading->entry->looked_in_vain =
        reading->image.cross_check == NSD_CROSS_IMPOSSIBLE &&
        (string__equal(view.ended, "exit") || string__equal(view.ended, "exec"));
    reading->entry->is_tool =
        reading->image.is_go && !reading->image.go_unknown && image__is_unwatched(reading->entry);
}

/* ---- its events ---- */

static const char *place_of(struct reading *reading, const struct nsd_frames *frames) {
    size_t slot = ((size_t) frames >> 4) % (sizeof reading->place / sizeof reading->place[0]);
    struct nsd_view_stack stack;
    char buffer[4096];
    struct nsd_text text;

    if (frames == NULL)
        return NULL;
    if (reading->place[slot].frames != frames) {
        struct nsd_compose plain = reading->compose;
        struct nsd_view_frame calls[NSD_COMPOSE_CALLS];

        /* Only one frame is shown: the others are not looked up in debug information. */
        plain.source = NULL;
        compose__stack(&plain, frames, &stack);
        text__begin(&text, buffer, sizeof buffer);
        if (stack.depth > 0 && reading->compose.source != NULL && stack.frame[0].file == NULL &&
            reading->compose.source(&stack.frame[0], calls) > 0)
            as_text__frame_line(&text, &calls[0], NULL, 0);
        else if (stack.depth > 0)
            as_text__frame_line(&text, &stack.frame[0], NULL, 0);
        free(reading->place[slot].at);
        reading->place[slot].frames = frames;
        reading->place[slot].at = strdup(text__string(&text));
    }
    return reading->place[slot].at;
}

static void see_event(void *context, struct nsd_replay *replay, const struct nsd_event *event,
                      const struct nsd_change *change) {
    struct reading *reading = context;
    struct nsd_view_event view;
    char buffer[1024];
    struct nsd_text text;

    begin_view(&reading->composing);
    compose__event(&reading->compose, event, &view);
    if (reading->timeline != NULL) {
        text__begin(&text, buffer, sizeof buffer);
        as_text__call(&text, &view.call);
        timeline__event(reading->timeline, &replay->ledger, event, change,
                        wall_of(reading, event->time), text__string(&text),
                        place_of(reading, event->frames), reading->gap);
        reading->gap = false;
    }
    if (reading->recordings->verbosity >= 3 &&
        nsd_call_table[event->call].effect != NSD_EFFECT_KNOWLEDGE)
        collect__event(reading->collection, reading->entry, &view);
}

static void see_gap(void *context, struct nsd_replay *replay) {
    struct reading *reading = context;

    (void) replay;
    reading->gap = true;
}

static void finish_timeline(struct reading *reading, struct nsd_replay *replay) {
    struct nsd_timeline **last = &reading->recordings->timelines;

    timeline__finish(reading->timeline, &replay->ledger, wall_of(reading, replay->now_ticks),
                     reading->image.ended);
    reading->timeline->overwritten = reading->part->head.overwritten;
    while (*last != NULL && (*last)->began <= reading->timeline->began)
        last = &(*last)->next;
    reading->timeline->next = *last;
    *last = reading->timeline;
}

static void end_reading(struct reading *reading) {
    for (size_t i = 0; i < sizeof reading->place / sizeof reading->place[0]; i++)
        free(reading->place[i].at);
    free_pieces(reading->composing.pieces);
}

/* False without memory. */
static bool begin_reading(struct reading *reading, struct nsd_recordings *recordings,
                          const struct nsd_part *part) {
    memset(reading, 0, sizeof *reading);
    reading->recordings = recordings;
    reading->collection = &recordings->collection;
    reading->entry = collect__image(reading->collection);
    reading->part = part;
    begin_image(reading);
    return reading->entry != NULL;
}

bool replayed__read(struct nsd_recordings *recordings, const struct nsd_part *part) {
    struct nsd_replay_watcher watcher = {.event = see_event, .gap = see_gap};
    static struct nsd_replay replay;
    static struct reading reading;
    unsigned severity[3] = {0, 0, 0};
    bool done = false;

    if (!begin_reading(&reading, recordings, part))
        return false;
    if (recordings->with_timelines) {
        reading.timeline = timeline__begin(reading.image.pid, reading.image.pid_ns,
                                           reading.image.program, part->head.facts.start_wall);
    }
    watcher.context = &reading;
    if (replay__run(&replay, part, &watcher)) {
        reading.image.ended = ended_of(recordings, &part->head.facts, replay.ended);
        /* The image did not count its threads at its end. */
        if (!replay.ended && !replay.from_kept)
            reading.image.threads = ledger__threads_seen(&replay.ledger);
        reading.compose.now_ticks = replay.now_ticks;
        reading.compose.now_wall = replay.now_wall;
        add_findings(&reading, &replay, severity);
        add_threads(&reading, &replay);
        add_whereabouts(&reading, &replay);
        add_coverage(&reading, severity);
        done = true;
    } else {
        recordings->collection.count--;
    }
    if (reading.timeline != NULL)
        finish_timeline(&reading, &replay);
    replay__end(&replay);
    end_reading(&reading);
    return done;
}

bool replayed__add_facts(struct nsd_recordings *recordings, const struct nsd_record_facts *facts) {
    static struct reading reading;
    static struct nsd_part part;
    const unsigned severity[3] = {0, 0, 0};
    bool ended = facts->ended == NSD_RECORD_EXIT || facts->ended == NSD_RECORD_EXEC;

    memset(&part, 0, sizeof part);
    part.head.facts = *facts;
    if (!begin_reading(&reading, recordings, &part))
        return false;
    reading.image.ended = ended_of(recordings, facts, ended);
    add_coverage(&reading, severity);
    end_reading(&reading);
    return true;
}
