/*
 * Feeds the events of a recording to the ledger and the rules, see replay.h. The reader has checked
 * each record by itself; the stacks, strings and modules that it names by number are looked up
 * here, and are NULL where the number is none.
 */
#include "record/replay.h"
#include "base/arena.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/mman.h>

/* The writer uses no higher numbers (tables.c). */
#define STACKS_MOST NSD_RECORD_STACKS
#define MODULES_MOST 512u

struct nsd_replay_tables {
    const char **string; /* string n is string[n - 1]; they point into the file's bytes */
    uint32_t strings;
    const struct nsd_frames *stack[STACKS_MOST];
    const struct nsd_module *module[MODULES_MOST];
    uint64_t row_bytes, string_bytes;
};

static const char *string_of(const struct nsd_replay *replay, uint64_t number) {
    return number == 0 || number > replay->tables->strings ? NULL
                                                           : replay->tables->string[number - 1];
}

static const struct nsd_frames *stack_of(const struct nsd_replay *replay, uint32_t id) {
    return id < STACKS_MOST ? replay->tables->stack[id] : NULL;
}

/* ---- tables ---- */

static void add_module(struct nsd_replay *replay, const struct nsd_record *record) {
    struct nsd_record_module from;
    struct nsd_module *module;

    memory__copy(&from, record->bytes, sizeof from);
    if (from.number >= MODULES_MOST)
        return;
    module = arena__take(sizeof *module);
    if (module == NULL)
        return;
    /* The replay never writes to the path. */
    module->path = (char *) (uintptr_t) string_of(replay, from.path);
    module->base = from.base;
    module->start = from.start;
    module->end = from.end;
    memory__copy(module->build_id, from.build_id, sizeof module->build_id);
    module->build_id_size =
        from.build_id_size <= NSD_BUILD_ID_MOST ? from.build_id_size : NSD_BUILD_ID_MOST;
    module->is_shim = from.is_shim != 0;
    module->is_executable = from.is_executable != 0;
    module->is_go = from.is_go != 0;
    replay->tables->module[from.number] = module;
}

static void add_place(struct nsd_replay *replay, const struct nsd_record *record) {
    struct nsd_record_place from;
    struct nsd_recorded_place place = {0};

    memory__copy(&from, record->bytes, sizeof from);
    place.pc = from.pc;
    place.offset = from.offset;
    place.function = string_of(replay, from.function);
    place.file = string_of(replay, from.file);
    place.line = from.line;
    place.module = from.module < MODULES_MOST ? replay->tables->module[from.module] : NULL;
    place.is_go = from.is_go != 0;
    recorded_names__add(&replay->names, &place);
}

static void add_stack(struct nsd_replay *replay, const struct nsd_record *record) {
    struct nsd_record_stack from;
    struct nsd_frames *frames;

    memory__copy(&from, record->bytes, sizeof from);
    if (from.id == 0 || from.id >= STACKS_MOST || record->count == 0 ||
        record->count > NSD_DEPTH_MOST || replay->tables->stack[from.id] != NULL)
        return;
    frames = arena__take(sizeof *frames + record->count * sizeof frames->frame[0]);
    if (frames == NULL)
        return;
    frames->hash = from.hash;
    frames->id = from.id;
    frames->depth = (uint16_t) record->count;
    _Static_assert(sizeof frames->frame[0] == sizeof from.frame[0], "copied as they are");
    memory__copy(frames->frame, record->bytes + sizeof from,
                 record->count * sizeof frames->frame[0]);
    replay->tables->stack[from.id] = frames;
}

/* Large and short-lived memory does not come from the arena, whose limit is meant for hosts. */
static void *take_pages(uint64_t size) {
    long at = sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return SYS_IS_ERROR(at) ? NULL : (void *) at;
}

static bool make_tables(struct nsd_replay *replay) {
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    uint64_t places = 0;
    struct nsd_replay_tables *tables = take_pages(sizeof *tables);

    if (tables == NULL)
        return false;
    replay->tables = tables;
    while (part__next_table(&replay->part, &cursor, &record))
        places += record.type == NSD_RECORD_PLACE;
    tables->string_bytes = (cursor.strings + 1ull) * sizeof tables->string[0];
    tables->string = take_pages(tables->string_bytes);
    replay->names.rows = 64;
    while (replay->names.rows < 2 * places)
        replay->names.rows *= 2;
    tables->row_bytes = replay->names.rows * sizeof replay->names.row[0];
    replay->names.row = take_pages(tables->row_bytes);
    return tables->string != NULL && replay->names.row != NULL;
}

static void fill_tables(struct nsd_replay *replay) {
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;

    while (part__next_table(&replay->part, &cursor, &record)) {
        switch (record.type) {
        case NSD_RECORD_STRING:
            replay->tables->string[replay->tables->strings++] =
                (const char *) record.bytes + sizeof(struct nsd_record_head);
            break;
        case NSD_RECORD_MODULE:
            add_module(replay, &record);
            break;
        case NSD_RECORD_PLACE:
            add_place(replay, &record);
            break;
        case NSD_RECORD_STACK:
            add_stack(replay, &record);
            break;
        default:
            break;
        }
    }
}

/* ---- events ---- */

/* The answers that the ledger got in the host, in the order of its questions. */
static bool read_word(void *context, int32_t tid, uint64_t address, uint64_t stack_pointer,
                      uint64_t *value) {
    struct nsd_replay *replay = context;
    bool could_be_read = false;

    (void) tid;
    (void) address;
    (void) stack_pointer;
    if (!record__read_answer(&replay->answers, replay->answer, value, &could_be_read))
        return false;
    replay->answer++;
    return could_be_read;
}

/* The answers to an event's questions are the record right after it. */
static void look_for_answers(struct nsd_replay *replay, const struct nsd_block_cursor *cursor) {
    struct nsd_block_cursor ahead = *cursor;

    replay->answer = 0;
    if (!part__next_record(&replay->part, &ahead, &replay->answers) || ahead.gap ||
        replay->answers.type != NSD_RECORD_ANSWERS)
        memory__fill(&replay->answers, 0, sizeof replay->answers);
}

static bool occasions_report(const struct nsd_event *event) {
    return nsd_call_table[event->call].effect == NSD_EFFECT_END ||
           nsd_call_table[event->call].effect == NSD_EFFECT_PROCESS;
}

static void apply(struct nsd_replay *replay, const struct nsd_event *event) {
    struct nsd_change change;

    memory__fill(&change, 0, sizeof change);
    ledger__apply(&replay->ledger, event, &change);
    rules__on_event(&replay->ledger, &replay->findings, event, &change);
    if (occasions_report(event))
        replay->occasion = *event;
    if (event->call == NSD_CALL_EXEC_FAILED)
        replay->ended = false;
    if (replay->watcher != NULL && replay->watcher->event != NULL)
        replay->watcher->event(replay->watcher->context, replay, event, &change);
}

static void judge(struct nsd_replay *replay, enum nsd_occasion occasion) {
    rules__on_report(&replay->ledger, &replay->findings, &replay->occasion, occasion);
    if (replay->watcher != NULL && replay->watcher->judged != NULL)
        replay->watcher->judged(replay->watcher->context, replay, occasion);
}

static void replay_record(struct nsd_replay *replay, const struct nsd_record *record,
                          const struct nsd_block_cursor *cursor) {
    struct nsd_record_learnt learnt;
    struct nsd_record_judged judged;
    struct nsd_event event;
    uint32_t stack;

    switch (record->type) {
    case NSD_RECORD_EVENT:
        if (!record__read_event(record, &event, &stack))
            return;
        event.frames = stack_of(replay, stack);
        look_for_answers(replay, cursor);
        apply(replay, &event);
        replay->events++;
        return;
    case NSD_RECORD_LEARNT:
        if (record__read_learnt(record, &learnt))
            ledger__compare(&replay->ledger, learnt.tid, (enum nsd_kind) learnt.kind,
                            &learnt.identity);
        return;
    case NSD_RECORD_JUDGED:
        if (!record__read_judged(record, &judged))
            return;
        look_for_answers(replay, cursor);
        if (judged.ticks != 0) {
            replay->now_ticks = judged.ticks;
            replay->now_wall = judged.wall;
        }
        replay->ended = judged.occasion != NSD_OCCASION_SIGNAL;
        judge(replay, (enum nsd_occasion) judged.occasion);
        return;
    default:
        return;
    }
}

/* The image left no report: its findings are judged as at a report while the program runs on. */
static void judge_unended(struct nsd_replay *replay) {
    struct nsd_event event;

    memory__fill(&event, 0, sizeof event);
    event.call = NSD_CALL_REPORT;
    event.tid = replay->part.head.facts.leader;
    event.time = replay->now_ticks;
    memory__fill(&replay->answers, 0, sizeof replay->answers);
    replay->occasion = event;
    rules__on_report(&replay->ledger, &replay->findings, &event, NSD_OCCASION_SIGNAL);
}

/* ---- kept findings ---- */

static void restore_labels(struct nsd_replay *replay, struct nsd_label *labels[NSD_KINDS],
                           const uint64_t inodes[NSD_KINDS], unsigned has) {
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((has & NSD_KIND_BIT(kind)) == 0)
            continue;
        labels[kind] = labels__mint(&replay->ledger.labels, (enum nsd_kind) kind);
        if (labels[kind] != NULL)
            labels[kind]->identity.inode = inodes[kind];
    }
}

static struct nsd_finding *restore(struct nsd_replay *replay, const struct nsd_kept *kept) {
    struct nsd_finding *finding = arena__take(sizeof *finding);

    if (finding == NULL)
        return NULL;
    finding->rule = (enum nsd_rule_id) kept->rule;
    finding->severity = (enum nsd_severity)((kept->words >> NSD_KEPT_SEVERITY_SHIFT) & 3);
    finding->withdrawn = (kept->words & NSD_KEPT_WITHDRAWN) != 0;
    finding->message =
        string_of(replay, (kept->words >> NSD_KEPT_MESSAGE_SHIFT) & NSD_KEPT_STRING_MASK);
    finding->remedy = string_of(replay, kept->words & NSD_KEPT_STRING_MASK);
    finding->switch_id = kept->switch_id;
    finding->count = (uint32_t) kept->count;
    finding->time = kept->time;
    finding->tid = kept->tid;
    finding->other_tid = kept->other_tid;
    finding->goroutine = kept->goroutine;
    finding->result = kept->result;
    memory__copy(finding->arguments, kept->arguments, sizeof finding->arguments);
    finding->call = kept->call;
    finding->lock = kept->lock;
    finding->main_thread = kept->main_thread != 0;
    finding->kinds = kept->kinds & (NSD_ALL_KINDS | NSD_PRIVATE_FS | NSD_PRIVATE_FILES);
    restore_labels(replay, finding->before, kept->before, kept->has_before);
    restore_labels(replay, finding->after, kept->after, kept->has_after);
    restore_labels(replay, finding->home, kept->home, kept->has_home);
    finding->frames = stack_of(replay, kept->frames);
    finding->switch_frames = stack_of(replay, kept->switch_frames);
    finding->related_count = kept->related_count;
    for (unsigned i = 0; i < kept->related_count; i++) {
        finding->related[i].what = string_of(replay, kept->related[i].what);
        finding->related[i].tid = kept->related[i].tid;
        finding->related[i].goroutine = kept->related[i].goroutine;
        finding->related[i].frames = stack_of(replay, kept->related[i].frames);
    }
    return finding;
}

/* Inserts into the list behind `link`, sorted by `order`. */
static void insert(struct nsd_finding **link, struct nsd_finding *finding, uint32_t order) {
    finding->kept = order;
    while (*link != NULL && (*link)->kept <= order)
        link = &(*link)->next;
    finding->next = *link;
    *link = finding;
}

static void read_kept(struct nsd_replay *replay) {
    struct nsd_finding *by_entry[NSD_KEPT_MOST] = {0};
    unsigned count = part__kept_count(&replay->part);
    struct nsd_kept kept;

    rules__reset(&replay->ledger, &replay->findings);
    for (unsigned i = 0; i < count; i++) {
        if (!part__kept(&replay->part, i, &kept) || kept.place >> 32 != 0)
            continue;
        by_entry[i] = restore(replay, &kept);
        if (by_entry[i] == NULL)
            continue;
        insert(&replay->findings.first, by_entry[i], (uint32_t) kept.place);
        replay->findings.count++;
    }
    for (unsigned i = 0; i < count; i++) {
        struct nsd_finding *finding;
        uint64_t parent;

        if (!part__kept(&replay->part, i, &kept) || (parent = kept.place >> 32) == 0 ||
            parent > count || by_entry[parent - 1] == NULL)
            continue;
        finding = restore(replay, &kept);
        if (finding != NULL)
            insert(&by_entry[parent - 1]->consequences, finding, (uint32_t) kept.place);
    }
    for (struct nsd_finding *at = replay->findings.first; at != NULL; at = at->next)
        replay->findings.last = at;
    replay->from_kept = true;
}

/* ---- the whole ---- */

bool replay__run(struct nsd_replay *replay, const struct nsd_part *part,
                 const struct nsd_replay_watcher *watcher) {
    struct nsd_block_cursor cursor = {0};
    struct nsd_record record;

    memory__fill(replay, 0, sizeof *replay);
    replay->part = *part;
    replay->watcher = watcher;
    replay->now_ticks = part->head.facts.last_ticks;
    replay->now_wall = part->head.facts.last_wall;
    if (!make_tables(replay))
        return false;
    fill_tables(replay);
    naming__use_recorded(&replay->names);
    ledger__begin(&replay->ledger, part->head.facts.pid, part->head.facts.leader,
                  NSD_RUNTIME_THREADS);
    ledger__set_reader(&replay->ledger, read_word, replay);
    while (part__next_record(&replay->part, &cursor, &record)) {
        if (cursor.gap && replay->watcher != NULL && replay->watcher->gap != NULL)
            replay->watcher->gap(replay->watcher->context, replay);
        replay_record(replay, &record, &cursor);
    }
    if (!part__is_whole(&replay->part))
        read_kept(replay);
    else if (!replay->ended)
        judge_unended(replay);
    return true;
}

void replay__end(struct nsd_replay *replay) {
    naming__use_recorded(NULL);
    arena__reset();
    if (replay->tables != NULL) {
        if (replay->names.row != NULL)
            sys__munmap(replay->names.row, replay->tables->row_bytes);
        if (replay->tables->string != NULL)
            sys__munmap(replay->tables->string, replay->tables->string_bytes);
        sys__munmap(replay->tables, sizeof *replay->tables);
    }
    memory__fill(replay, 0, sizeof *replay);
}
