/*
 * A replay over tables and kept findings that are made by hand: what a number leads to, and that
 * one which leads nowhere takes with it what it belongs to, and nothing else.
 */
#include "record_bytes.h"

#include "base/arena.h"
#include "names/naming.h"
#include "record/replay.h"

static struct nsd_replay replay;

/* ---- tables ---- */

static void *table_end(void) {
    return bytes + PAGE + part_head->tables + part_head->tables_used;
}

static void put_string(const char *string) {
    struct nsd_record_head *head = table_end();
    size_t length = strlen(string);

    *head = (struct nsd_record_head){(uint32_t) (8 + length + 8) & ~7u, NSD_RECORD_STRING,
                                     (uint16_t) length};
    memcpy(head + 1, string, length + 1);
    part_head->tables_used += head->size;
}

static void put_module(uint32_t number, uint32_t path, uint8_t build_id_size) {
    struct nsd_record_module *module = table_end();

    *module = (struct nsd_record_module){.head = {sizeof *module, NSD_RECORD_MODULE, 0},
                                         .base = 100,
                                         .start = 110,
                                         .end = 120,
                                         .number = number,
                                         .path = path,
                                         .build_id = {1, 2, 3},
                                         .build_id_size = build_id_size,
                                         .is_shim = 1,
                                         .is_executable = 1,
                                         .is_go = 1};
    part_head->tables_used += sizeof *module;
}

static void put_place(uint64_t pc, uint32_t function, uint32_t module) {
    struct nsd_record_place *place = table_end();

    *place = (struct nsd_record_place){.head = {sizeof *place, NSD_RECORD_PLACE, 0},
                                       .pc = pc,
                                       .offset = pc + 1,
                                       .function = function,
                                       .file = 2,
                                       .line = 7,
                                       .module = module,
                                       .is_go = 1};
    part_head->tables_used += sizeof *place;
}

/* `count` of frames; `room` of them are there. */
static void put_stack(uint32_t id, unsigned count, uint64_t hash) {
    struct nsd_record_stack *stack = table_end();
    uint32_t size = (uint32_t) (sizeof *stack + count * sizeof stack->frame[0]);

    stack->head = (struct nsd_record_head){size, NSD_RECORD_STACK, (uint16_t) count};
    stack->id = id;
    stack->hash = hash;
    for (unsigned i = 0; i < count; i++)
        stack->frame[i].pc = 50 + i;
    part_head->tables_used += size;
}

static void begin(void) {
    make();
    part_head->facts.pid = part_head->facts.leader = 42;
    part_head->facts.last_ticks = 8;
    part_head->facts.last_wall = 9;
    put_string("function");
    put_string("file");
    put_string("/bin/module");
}

static void run(void) {
    CHECK(open_part(0) && replay__run(&replay, &part, NULL));
}

static struct nsd_place place_of(uint64_t pc) {
    struct nsd_place place;

    naming__place(pc, false, &place);
    return place;
}

static void names(void) {
    struct nsd_place place;

    begin();
    put_module(511, 3, 3);
    put_place(70, 1, 511);
    put_place(71, 4, 511); /* no such string */
    put_place(72, 0, 510); /* no such module */
    put_place(73, 1, 512); /* out of range */
    put_place(70, 2, 0);   /* another word on the same: the first stands */
    put_module(512, 3, 3);
    run();
    CHECK(replay.now_ticks == 8 && replay.now_wall == 9 && !replay.ended && !replay.from_kept);
    place = place_of(70);
    CHECK(same(place.function, "function") && same(place.file, "file") && place.line == 7 &&
          place.offset == 71 && place.is_go);
    CHECK(place.module != NULL && same(place.module->path, "/bin/module"));
    CHECK(place.module->base == 100 && place.module->start == 110 && place.module->end == 120);
    CHECK(place.module->build_id_size == 3 && place.module->build_id[2] == 3);
    CHECK(place.module->is_shim && place.module->is_executable && place.module->is_go);
    place = place_of(71);
    CHECK(same(place.function, "") && same(place.file, "file") && place.module != NULL);
    place = place_of(72);
    CHECK(same(place.function, "") && place.module == NULL && place.offset == 73);
    CHECK(place_of(73).module == NULL && place_of(74).line == 0);
    replay__end(&replay);
    CHECK(replay.tables == NULL && replay.names.row == NULL);
}

/* Modules whose fields are out of range, and more places than the first table of names has room
 * for. */
static void odd_names(void) {
    struct nsd_place place;

    begin();
    put_module(5, 9, 255);
    for (uint64_t pc = 1; pc <= 48; pc++)
        put_place(1000 + pc, 1, 5);
    run();
    for (uint64_t pc = 1; pc <= 48; pc++)
        CHECK(place_of(1000 + pc).line == 7);
    CHECK(replay.names.rows == 128);
    place = place_of(1001);
    CHECK(place.module->path == NULL && place.module->build_id_size == NSD_BUILD_ID_MOST);
    replay__end(&replay);
    begin();
    put_place(1001, 1, 5);
    run();
    CHECK(replay.names.rows == 64);
    replay__end(&replay);
}

/* ---- stacks, as events lead to them ---- */

static uint64_t hashes[8];
static unsigned depths[8], told;

static void see(void *context, struct nsd_replay *of, const struct nsd_event *event,
                const struct nsd_change *change) {
    (void) of, (void) change, (void) context;
    hashes[told % 8] = event->frames == NULL ? 0 : event->frames->hash;
    depths[told % 8] = event->frames == NULL ? 0 : event->frames->depth;
    told++;
}

#define LAST_ID (NSD_RECORD_STACKS - 1)

static void stacks(void) {
    static const struct nsd_replay_watcher watcher = {.event = see};
    static const uint64_t asked[] = {1, 2, 3, 0, LAST_ID, LAST_ID + 1, 1ull << 32 | 1, 4};
    struct nsd_record_event *events;

    begin();
    put_stack(1, 2, 11);
    put_stack(1, 1, 12); /* the first stands */
    put_stack(2, 0, 13); /* of no frames */
    put_stack(3, 64, 14);
    put_stack(0, 1, 15);
    put_stack(LAST_ID, 1, 16);
    put_stack(LAST_ID + 1, 1, 17);
    put_stack(4, 65, 18); /* deeper than any */
    events = (struct nsd_record_event *) (block_at(0) + 1);
    fill_block(1, 0, 0, 8);
    for (unsigned i = 0; i < 8; i++)
        events[i].stack = asked[i];
    CHECK(open_part(0) && replay__run(&replay, &part, &watcher));
    CHECK(told == 8 && replay.events == 8);
    CHECK(hashes[0] == 11 && depths[0] == 2 && hashes[1] == 0);
    CHECK(hashes[2] == 14 && depths[2] == 64 && hashes[3] == 0);
    CHECK(hashes[4] == 16 && hashes[5] == 0 && hashes[6] == 0 && hashes[7] == 0);
    replay__end(&replay);
}

/* Records that make no sense are passed over, and those behind them are read. */
static void odd_records(void) {
    struct nsd_record_event *events;
    struct nsd_record_judged *judged;

    begin();
    fill_block(1, 0, 0, 3);
    events = (struct nsd_record_event *) (block_at(0) + 1);
    events[1].call = NSD_CALLS;
    judged = (struct nsd_record_judged *) (events + 3);
    *judged = (struct nsd_record_judged){
        .head = {sizeof *judged, NSD_RECORD_JUDGED, 0}, .occasion = 9, .ticks = 5, .wall = 6};
    block_at(0)->used += sizeof *judged;
    run();
    CHECK(replay.events == 2 && !replay.ended && replay.now_ticks == 8);
    replay__end(&replay);
    judged->occasion = NSD_OCCASION_EXIT;
    run();
    CHECK(replay.ended && replay.now_ticks == 5 && replay.now_wall == 6);
    replay__end(&replay);
    judged->ticks = 0; /* of a report whose clocks were not read */
    run();
    CHECK(replay.ended && replay.now_ticks == 8 && replay.now_wall == 9);
    replay__end(&replay);
}

static unsigned long pages_in_use(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL && fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages;
}

static void replays_give_back_what_they_take(void) {
    unsigned long before;

    begin();
    run();
    replay__end(&replay);
    before = pages_in_use();
    for (unsigned i = 0; i < 100; i++) {
        run();
        replay__end(&replay);
    }
    CHECK(pages_in_use() <= before + 64);
}

/* ---- kept findings ---- */

static struct nsd_kept *entry(unsigned number) {
    return (struct nsd_kept *) (bytes + PAGE + part_head->kept) + number;
}

static uint64_t words(uint64_t severity, uint64_t message, uint64_t remedy) {
    return NSD_KEPT_IN_USE | severity << NSD_KEPT_SEVERITY_SHIFT |
           message << NSD_KEPT_MESSAGE_SHIFT | remedy;
}

static struct nsd_kept kept(uint64_t parent, uint32_t order, enum nsd_rule_id rule) {
    return (struct nsd_kept){
        .words = words(NSD_SEVERITY_WARNING, 1, 2), .place = parent << 32 | order, .rule = rule};
}

/* "left-switched(died-switched) exec-discards" */
static const char *findings(void) {
    static char text[1024];
    size_t used = 0;

    text[0] = '\0';
    for (struct nsd_finding *at = replay.findings.first; at != NULL; at = at->next) {
        used += (size_t) sprintf(text + used, "%s ", rules__name(at->rule));
        for (struct nsd_finding *then = at->consequences; then != NULL; then = then->next)
            used += (size_t) sprintf(text + used, "(%s) ", rules__name(then->rule));
    }
    return text;
}

static void order_of_kept(void) {
    begin();
    part_head->keeping = 1;
    part_head->kept_count = 7;
    *entry(0) = kept(0, 9, NSD_RULE_EXEC_DISCARDS);
    *entry(1) = kept(1, 3, NSD_RULE_DIED_SWITCHED);
    *entry(2) = kept(0, 2, NSD_RULE_LEFT_SWITCHED);
    *entry(3) = kept(1, 1, NSD_RULE_BORN_SWITCHED);
    *entry(4) = kept(8, 4, NSD_RULE_MAIN_SWITCHED); /* of an entry that is not there */
    *entry(5) = kept(4, 5, NSD_RULE_MAIN_SWITCHED); /* of one that is a consequence itself */
    *entry(6) = kept(7, 6, NSD_RULE_MAIN_SWITCHED); /* of itself */
    run();
    CHECK(replay.from_kept && replay.findings.count == 2);
    CHECK(same(findings(), "left-switched exec-discards (born-switched) (died-switched) "));
    CHECK(replay.findings.last->rule == NSD_RULE_EXEC_DISCARDS);
    replay__end(&replay);
}

static void fields_of_kept(void) {
    struct nsd_kept from = kept(0, 1, NSD_RULE_LEFT_SWITCHED);
    struct nsd_finding *finding;

    begin();
    put_stack(1, 1, 11);
    put_stack(2, 2, 12);
    part_head->overwritten = part_head->kept_count = 1;
    from.words |= NSD_KEPT_WITHDRAWN;
    from.count = 3;
    from.time = 4;
    from.goroutine = 5;
    from.result = -6;
    from.arguments[4] = 7;
    from.before[NSD_KIND_NET] = 8;
    from.after[NSD_KIND_NET] = 9;
    from.home[NSD_KIND_MNT] = 10;
    from.has_before = NSD_KIND_BIT(NSD_KIND_NET) | NSD_KIND_BIT(NSD_KIND_PID);
    from.has_after = NSD_KIND_BIT(NSD_KIND_NET);
    from.has_home = NSD_KIND_BIT(NSD_KIND_MNT);
    from.kinds = 0xffff;
    from.switch_id = 11;
    from.tid = 12;
    from.other_tid = 13;
    from.frames = 1;
    from.switch_frames = 2;
    from.call = NSD_CALL_SETNS;
    from.lock = NSD_LOCK_PINNED;
    from.main_thread = 1;
    from.related_count = 2;
    from.related[0].goroutine = 14;
    from.related[0].what = 2;
    from.related[0].tid = 15;
    from.related[0].frames = 2;
    from.related[1].what = 99;
    from.related[1].frames = 99;
    *entry(0) = from;
    run();
    finding = replay.findings.first;
    CHECK(finding != NULL && finding->rule == NSD_RULE_LEFT_SWITCHED && finding->withdrawn);
    CHECK(finding->severity == NSD_SEVERITY_WARNING && same(finding->message, "function") &&
          same(finding->remedy, "file"));
    CHECK(finding->count == 3 && finding->time == 4 && finding->goroutine == 5 &&
          finding->result == -6 && finding->arguments[4] == 7 && finding->switch_id == 11);
    CHECK(finding->tid == 12 && finding->other_tid == 13 && finding->call == NSD_CALL_SETNS &&
          finding->lock == NSD_LOCK_PINNED && finding->main_thread);
    CHECK(finding->kinds == (NSD_ALL_KINDS | NSD_PRIVATE_FS | NSD_PRIVATE_FILES));
    CHECK(label__identity(finding->before[NSD_KIND_NET])->inode == 8 &&
          label__identity(finding->after[NSD_KIND_NET])->inode == 9 &&
          label__identity(finding->home[NSD_KIND_MNT])->inode == 10);
    CHECK(finding->before[NSD_KIND_PID] != NULL && finding->before[NSD_KIND_MNT] == NULL &&
          finding->home[NSD_KIND_NET] == NULL);
    CHECK(finding->frames->hash == 11 && finding->switch_frames->hash == 12);
    CHECK(finding->related_count == 2 && finding->related[0].goroutine == 14 &&
          same(finding->related[0].what, "file") && finding->related[0].tid == 15 &&
          finding->related[0].frames->hash == 12);
    CHECK(finding->related[1].what == NULL && finding->related[1].frames == NULL);
    replay__end(&replay);
}

/* Killed, and nothing was overwritten: judged as at a report on the way, by the leader. */
static void an_empty_one(void) {
    begin();
    part_head->facts.leader = 43;
    run();
    CHECK(replay.events == 0 && replay.findings.first == NULL);
    CHECK(replay.occasion.call == NSD_CALL_REPORT && replay.occasion.tid == 43 &&
          replay.occasion.time == 8);
    CHECK(ledger__threads_live(&replay.ledger) == 2);
    replay__end(&replay);
}

int main(void) {
    names();
    odd_names();
    stacks();
    order_of_kept();
    fields_of_kept();
    an_empty_one();
    odd_records();
    replays_give_back_what_they_take();
    free(bytes);
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
