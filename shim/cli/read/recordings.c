/*
 * From a recording to lines, see recordings.h.
 */
#include "cli/read/recordings.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/read/source_lines.h"
#include "record/reader.h"
#include "record/replay.h"
#include "report/compose.h"
#include "report/coverage.h"
#include "report/json.h"
#include "report/text.h"
#include "report/threads.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Stacks of one finding, each frame with what was inlined into it. */
#define SCRATCH_SIZE (8u << 20)
#define LINE_SIZE (1u << 20)

static char scratch_memory[SCRATCH_SIZE] __attribute__((aligned(16)));
static char line_memory[LINE_SIZE];

/* One image while it is read. */
struct reading {
    struct nsd_recordings *recordings;
    struct nsd_part *part;
    struct nsd_image image;
    struct nsd_scratch scratch;
    struct nsd_compose compose;
    struct nsd_timeline *timeline;
    bool gap;
    /* Where the stack of an event stands, remembered: the same few come again and again. */
    struct {
        const struct nsd_frames *frames;
        char *at;
    } place[1024];
};

/* ---- lines ---- */

static void begin_line(struct nsd_text *text, struct reading *reading) {
    text__begin(text, line_memory, sizeof line_memory);
    reading->scratch.used = 0;
}

/*
 * A recording may come from anywhere, and its names end on a terminal: control characters, which
 * JSON has as \u001b, become the mark of what is no character. Line ends are \n there.
 */
static void make_printable(char *line, size_t size) {
    for (size_t i = 0; i + 6 <= size; i++) {
        if (line[i] != '\\')
            continue;
        if (memcmp(line + i, "\\u00", 4) == 0 &&
            (line[i + 4] == '0' || line[i + 4] == '1' || memcmp(line + i + 4, "7f", 2) == 0))
            memcpy(line + i, "\\ufffd", 6);
        i++; /* what a backslash stands before is no beginning of another one */
    }
}

/* What did not fit is no JSON, and is left out: a finding of more than a megabyte. */
static void add_line(struct nsd_text *text, struct reading *reading) {
    struct nsd_line line;
    size_t size = text->used;

    make_printable(text->buffer, text->used);
    if (size > 0 && text->buffer[size - 1] == '\n')
        size--;
    if (!text->cut && lines__parse(&line, text->buffer, size))
        collect__add(&reading->recordings->collection, &line);
}

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

/* Its pid is that of a process in our own pid namespace, and there is one. */
static bool is_alive(const struct nsd_record_facts *facts) {
    struct stat ours;

    return facts->pid > 0 && stat("/proc/self/ns/pid", &ours) == 0 &&
           ours.st_ino == facts->pid_ns && (kill(facts->pid, 0) == 0 || errno == EPERM);
}

static const char *ended_of(const struct nsd_recordings *recordings,
                            const struct nsd_record_facts *facts, bool ended) {
    if (!ended)
        return recordings->may_be_alive && is_alive(facts) ? "report" : "killed";
    return facts->ended == NSD_RECORD_EXEC ? "exec" : "exit";
}

static void begin_image(struct reading *reading) {
    const struct nsd_record_facts *facts = &reading->part->head.facts;
    struct nsd_image *image = &reading->image;

    image->pid = facts->pid;
    image->pid_ns = facts->pid_ns;
    image->path = facts->path[0] != '\0' ? facts->path : NULL;
    image->program = part__program(reading->part);
    image->go = facts->go[0] != '\0' ? facts->go : NULL;
    image->is_go = (facts->flags & NSD_RECORD_IS_GO) != 0;
    image->go_unknown = (facts->flags & NSD_RECORD_GO_UNKNOWN) != 0;
    image->go_newer = (facts->flags & NSD_RECORD_GO_NEWER) != 0;
    image->go_sites = facts->go_sites;
    image->go_sites_watched = facts->go_sites_watched;
    image->libc_functions = facts->libc_functions;
    image->clock.start_ticks = facts->start_ticks;
    image->clock.start_wall = facts->start_wall;
    image->events = facts->events;
    image->lost = facts->lost;
    image->threads = facts->threads;
    image->cross_check =
        facts->cross_check <= NSD_CROSS_DIFFERS ? facts->cross_check : NSD_CROSS_IMPOSSIBLE;
    image->leader = facts->leader;

    reading->scratch.memory = scratch_memory;
    reading->scratch.size = sizeof scratch_memory;
    reading->compose.scratch = &reading->scratch;
    reading->compose.image = image;
    reading->compose.now_ticks = facts->last_ticks;
    reading->compose.now_wall = facts->last_wall;
    reading->compose.keep_plumbing = reading->recordings->verbosity >= 3;
    reading->compose.recorded = true;
    reading->compose.source = reading->recordings->debug_info ? source : NULL;
}

/* The probes and what is missing of them, as the facts have them: strings, an empty one, pairs. */
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
    static struct nsd_view_finding view;
    struct nsd_text text;

    for (const struct nsd_finding *finding = replay->findings.first; finding != NULL;
         finding = finding->next) {
        if (finding->withdrawn)
            continue;
        severity[finding__severity(finding)]++;
        begin_line(&text, reading);
        compose__finding(&reading->compose, finding, &view);
        as_json__finding(&text, &view);
        add_line(&text, reading);
        if (reading->timeline != NULL)
            timeline__finding(reading->timeline, wall_of(reading, finding->time), finding->tid,
                              view.rule, view.severity, view.message);
    }
}

static void add_threads(struct reading *reading, struct nsd_replay *replay) {
    struct nsd_view_thread view;
    struct nsd_text text;

    if (reading->recordings->verbosity < 2)
        return;
    for (struct nsd_thread *thread = ledger__first_thread(&replay->ledger); thread != NULL;
         thread = ledger__next_thread(thread)) {
        begin_line(&text, reading);
        compose__thread(&reading->compose, &replay->ledger, thread, &view);
        as_json__thread(&text, &view);
        add_line(&text, reading);
    }
}

static void add_coverage(struct reading *reading, const unsigned severity[3]) {
    struct nsd_view_coverage view;
    struct nsd_text text;

    begin_line(&text, reading);
    coverage__view(&view, &reading->image);
    put_probes(&view, &reading->part->head.facts);
    view.time = compose__time(&reading->compose, reading->compose.now_ticks);
    view.errors = severity[NSD_SEVERITY_ERROR];
    view.warnings = severity[NSD_SEVERITY_WARNING];
    view.notes = severity[NSD_SEVERITY_NOTE];
    as_json__coverage(&text, &view);
    add_line(&text, reading);
}

/* ---- its events ---- */

static const char *place_of(struct reading *reading, const struct nsd_frames *frames) {
    size_t slot = ((size_t) frames >> 4) % (sizeof reading->place / sizeof reading->place[0]);
    struct nsd_view_stack stack;
    char buffer[512];
    struct nsd_text text;

    if (frames == NULL)
        return NULL;
    if (reading->place[slot].frames != frames) {
        struct nsd_compose plain = reading->compose;
        struct nsd_view_frame calls[NSD_COMPOSE_CALLS];

        /* Of all the frames, one is shown: no others are looked up. */
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
    struct nsd_text text;

    begin_line(&text, reading);
    compose__event(&reading->compose, event, &view);
    if (reading->timeline != NULL) {
        /* NSD_CALL_NONE is no probe's, but may stand in a file. */
        if (view.call.name != NULL)
            as_text__call(&text, &view.call);
        timeline__event(reading->timeline, &replay->ledger, event, change,
                        wall_of(reading, event->time), text__string(&text),
                        place_of(reading, event->frames), reading->gap);
        reading->gap = false;
    }
    if (reading->recordings->verbosity < 3 ||
        nsd_call_table[event->call].effect == NSD_EFFECT_KNOWLEDGE)
        return;
    text.used = 0;
    as_json__event(&text, &view);
    add_line(&text, reading);
}

static void see_gap(void *context, struct nsd_replay *replay) {
    struct reading *reading = context;

    (void) replay;
    reading->gap = true;
}

static void read_part(struct nsd_recordings *recordings, struct nsd_part *part) {
    struct nsd_replay_watcher watcher = {.event = see_event, .gap = see_gap};
    static struct nsd_replay replay;
    static struct reading reading;
    unsigned severity[3] = {0, 0, 0};

    memset(&reading, 0, sizeof reading);
    reading.recordings = recordings;
    reading.part = part;
    begin_image(&reading);
    if (recordings->with_timelines) {
        reading.timeline = timeline__begin(reading.image.pid, reading.image.pid_ns,
                                           reading.image.program, part->head.facts.start_wall);
    }
    watcher.context = &reading;
    if (replay__run(&replay, part, &watcher)) {
        reading.image.ended = ended_of(recordings, &part->head.facts, replay.ended);
        /* Nobody counted them at the end. */
        if (!replay.ended && !replay.from_kept)
            reading.image.threads = ledger__threads_seen(&replay.ledger);
        reading.compose.now_ticks = replay.now_ticks;
        reading.compose.now_wall = replay.now_wall;
        add_findings(&reading, &replay, severity);
        add_threads(&reading, &replay);
        add_coverage(&reading, severity);
        recordings->images++;
    } else {
        command__say("out of memory");
        recordings->unreadable = true;
    }
    if (reading.timeline != NULL) {
        struct nsd_timeline **last = &recordings->timelines;

        timeline__finish(reading.timeline, &replay.ledger, wall_of(&reading, replay.now_ticks),
                         reading.image.ended);
        reading.timeline->overwritten = part->head.overwritten;
        while (*last != NULL && (*last)->began <= reading.timeline->began)
            last = &(*last)->next;
        reading.timeline->next = *last;
        *last = reading.timeline;
    }
    replay__end(&replay);
    for (size_t i = 0; i < sizeof reading.place / sizeof reading.place[0]; i++)
        free(reading.place[i].at);
}

void recordings__add_facts(struct nsd_recordings *recordings,
                           const struct nsd_record_facts *facts) {
    static struct reading reading;
    static struct nsd_part part;
    const unsigned severity[3] = {0, 0, 0};
    bool ended = facts->ended == NSD_RECORD_EXIT || facts->ended == NSD_RECORD_EXEC;

    memset(&part, 0, sizeof part);
    memset(&reading, 0, sizeof reading);
    part.head.facts = *facts;
    reading.recordings = recordings;
    reading.part = &part;
    begin_image(&reading);
    reading.image.ended = ended_of(recordings, facts, ended);
    add_coverage(&reading, severity);
    recordings->images++;
}

/* ---- a file ---- */

static void refuse(struct nsd_recordings *recordings, const char *path, const char *why) {
    command__say("%s: %s", path, why);
    recordings->unreadable = true;
}

/* The whole file; of one that does not begin as a recording does, its beginning alone. */
static char *read_bytes(int fd, size_t size, size_t *got) {
    char *bytes = malloc(size > 0 ? size : 1);
    bool known = false;

    *got = 0;
    while (bytes != NULL && *got < size) {
        uint64_t magic;
        ssize_t more = read(fd, bytes + *got, known ? size - *got : 4096);

        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        *got += (size_t) more;
        if (!known && *got >= sizeof magic) {
            memcpy(&magic, bytes, sizeof magic);
            if (magic != NSD_RECORD_MAGIC && magic != NSD_INDEX_MAGIC)
                break;
            known = true;
        }
    }
    return bytes;
}

static void read_parts(struct nsd_recordings *recordings, const char *path,
                       const struct nsd_recording *recording) {
    unsigned parts = recording__parts(recording), read = 0;
    const char *why = NULL, *last_why = NULL;

    for (unsigned i = 0; i < parts; i++) {
        struct nsd_part part;

        if (recording__part(recording, i, &part, &why)) {
            read_part(recordings, &part);
            read++;
        } else {
            last_why = why;
        }
    }
    if (read == 0)
        refuse(recordings, path, last_why != NULL ? last_why : "nothing was recorded in it");
    else if (recording->cut)
        refuse(recordings, path, "the file has been cut short: this is what is left of it");
}

/* A file beside the index, as the index names it. */
static bool is_beside(const char *path, const char *name) {
    const char *end = strrchr(path, '/');
    int folder = end == NULL ? 0 : (int) (end - path) + 1;
    char *beside;
    bool is_there;

    if (strchr(name, '/') != NULL || asprintf(&beside, "%.*s%s", folder, path, name) < 0)
        return false;
    is_there = access(beside, F_OK) == 0;
    free(beside);
    return is_there;
}

/*
 * What a run's folder has no recordings of: images that nothing happened in, and those that were
 * not watched. The others are files that are read by themselves.
 */
static void read_index(struct nsd_recordings *recordings, const char *path,
                       const struct nsd_index_view *index) {
    struct nsd_index_slot slot;
    unsigned gone = 0;

    for (unsigned i = 0; i < index__slots(index); i++) {
        if (!index__slot(index, i, &slot))
            continue;
        if (slot.recording[0] == '\0')
            recordings__add_facts(recordings, &slot.facts);
        else if (!is_beside(path, slot.recording))
            gone++;
    }
    recordings->collection.unseen += index->head.unseen;
    recordings->collection.silent += index->head.silent;
    if (gone == 1)
        refuse(recordings, path, "a recording that it names is gone");
    else if (gone > 1)
        refuse(recordings, path, "recordings that it names are gone");
}

static bool is_index(const char *bytes, size_t size) {
    uint64_t magic = 0;

    if (size >= sizeof magic)
        memcpy(&magic, bytes, sizeof magic);
    return magic == NSD_INDEX_MAGIC;
}

/* Of another version: which format it has, and which one is read here. */
static void refuse_recording(struct nsd_recordings *recordings, const char *path,
                             const struct nsd_recording *recording, const char *why) {
    char words[160];

    if (recording->file.magic == NSD_RECORD_MAGIC &&
        recording->file.version != NSD_RECORD_VERSION) {
        snprintf(words, sizeof words,
                 "%s: its format is %u, and that of nsdrift " NSD_VERSION " is %u", why,
                 recording->file.version, NSD_RECORD_VERSION);
        why = words;
    }
    refuse(recordings, path, why);
}

static void read_file(struct nsd_recordings *recordings, const char *path, int fd, size_t size) {
    struct nsd_index_view index;
    struct nsd_recording recording;
    const char *why = NULL;
    size_t got = 0;
    char *bytes = read_bytes(fd, size, &got);

    if (bytes == NULL)
        refuse(recordings, path, "out of memory");
    else if (got == 0)
        refuse(recordings, path, size == 0 ? "the file is empty" : "it cannot be read");
    else if (is_index(bytes, got) && index__open(&index, bytes, got, &why))
        read_index(recordings, path, &index);
    else if (why != NULL)
        refuse(recordings, path, why);
    else if (!recording__open(&recording, bytes, got, &why))
        refuse_recording(recordings, path, &recording, why);
    else
        read_parts(recordings, path, &recording);
    free(bytes);
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(char *const *) left, *(char *const *) right);
}

/* Everything in it but what is hidden, in the order of the names; and the index of a run. */
static void read_folder(struct nsd_recordings *recordings, const char *path, int fd) {
    DIR *folder = fdopendir(fd);
    char **names = NULL;
    size_t count = 0, room = 0;
    struct dirent *entry;

    if (folder == NULL) {
        close(fd);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' && strcmp(entry->d_name, NSD_INDEX_NAME) != 0)
            continue;
        if (count == room) {
            char **grown = reallocarray(names, room = room == 0 ? 64 : 2 * room, sizeof *names);

            if (grown == NULL)
                break;
            names = grown;
        }
        if (asprintf(&names[count], "%s/%s", path, entry->d_name) < 0)
            break;
        count++;
    }
    closedir(folder);
    if (count == 0)
        refuse(recordings, path, "there is no recording in this folder");
    else
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        recordings__read(recordings, names[i]);
        free(names[i]);
    }
    free(names);
}

bool recordings__read(struct nsd_recordings *recordings, const char *path) {
    /* Not to be kept waiting by a pipe that nobody writes to. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    /* Who runs on takes a recording away when it ends with nothing to say. */
    if (fd < 0 && errno == ENOENT && recordings->may_be_alive)
        return false;
    if (fd < 0 || fstat(fd, &status) != 0) {
        refuse(recordings, path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return true;
    }
    if (S_ISDIR(status.st_mode)) {
        read_folder(recordings, path, fd);
        return true;
    }
    if (S_ISREG(status.st_mode))
        read_file(recordings, path, fd, (size_t) status.st_size);
    else
        refuse(recordings, path, "this is no file");
    close(fd);
    return true;
}

void recordings__end(struct nsd_recordings *recordings) {
    while (recordings->timelines != NULL) {
        struct nsd_timeline *next = recordings->timelines->next;

        timeline__free(recordings->timelines);
        recordings->timelines = next;
    }
    collect__end(&recordings->collection);
}
