/*
 * Names in a recording: what the writer keeps of strings, modules, places and stacks, that each is
 * written once, what happens when there is no more room; and that a replay gives every program
 * counter the name that the host gave it.
 */
#include "base/forbidden.h"
#include "record_folder.h"

#include "names/modules.h"
#include "names/naming.h"
#include "record/replay.h"

/* ---- real names: functions of this test ---- */

#define FUNCTIONS 8
#define NAMED(n)                                                                                   \
    __attribute__((noinline)) int named_##n(int value) {                                           \
        return value * n + 1;                                                                      \
    }
NAMED(0)
NAMED(1)
NAMED(2)
NAMED(3)
NAMED(4)
NAMED(5)
NAMED(6)
NAMED(7)
static int (*const functions[FUNCTIONS])(int) = {named_0, named_1, named_2, named_3,
                                                 named_4, named_5, named_6, named_7};

/* As a return address within the function. */
static uint64_t pc_in(unsigned number) {
    return (uint64_t) (uintptr_t) functions[number] + 2;
}

static struct nsd_frames *stack(uint32_t id, unsigned depth, uint64_t first_pc, uint64_t step) {
    struct nsd_frames *frames = calloc(1, sizeof *frames + depth * sizeof frames->frame[0]);

    frames->id = id;
    frames->depth = (uint16_t) depth;
    frames->hash = id * 1000u;
    for (unsigned i = 0; i < depth; i++) {
        frames->frame[i].pc = first_pc + i * step;
        frames->frame[i].slot = 8 * i;
        frames->frame[i].module = i;
    }
    return frames;
}

static void event_at(const struct nsd_frames *frames) {
    struct nsd_event made = {.call = NSD_CALL_SOCKET, .tid = 4242, .frames = frames};

    record__event(&made);
    record__event_is_over(1, 0);
}

static unsigned tables(enum nsd_record_type type) {
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    unsigned count = 0;

    while (part__next_table(&part, &cursor, &record))
        count += record.type == type;
    return count;
}

static const struct nsd_frames *replayed_frames;

static void see_frames(void *context, struct nsd_replay *replay, const struct nsd_event *event,
                       const struct nsd_change *change) {
    (void) context, (void) replay, (void) change;
    replayed_frames = event->frames;
}

static const struct nsd_replay_watcher watcher = {.event = see_frames};
static struct nsd_replay replay;

static void the_same_names(void) {
    static struct nsd_place host[FUNCTIONS + 1];
    struct nsd_frames *frames = stack(5, FUNCTIONS + 1, 0, 0);
    const struct nsd_module *module;

    for (unsigned i = 0; i < FUNCTIONS; i++)
        frames->frame[i].pc = pc_in(i);
    frames->frame[FUNCTIONS].pc = 0x1234; /* in no module */
    for (unsigned i = 0; i <= FUNCTIONS; i++)
        naming__place(frames->frame[i].pc, false, &host[i]);
    CHECK(strcmp(host[3].function, "named_3") == 0 && host[3].module != NULL);
    module = host[3].module;
    CHECK(begin() == NULL);
    event_at(frames);
    event_at(frames);
    CHECK(read_part((files(), names[0]), 0));
    CHECK(tables(NSD_RECORD_STACK) == 1 && tables(NSD_RECORD_PLACE) == FUNCTIONS + 1);
    CHECK(tables(NSD_RECORD_MODULE) == 1 && tables(NSD_RECORD_STRING) == FUNCTIONS + 1);
    CHECK(replay__run(&replay, &part, &watcher));
    CHECK(replayed_frames != NULL && replayed_frames->depth == FUNCTIONS + 1 &&
          replayed_frames->hash == 5000 && replayed_frames->id == 5);
    CHECK(memcmp(replayed_frames->frame, frames->frame,
                 (FUNCTIONS + 1) * sizeof frames->frame[0]) == 0);
    for (unsigned i = 0; i <= FUNCTIONS; i++) {
        struct nsd_place place;

        naming__place(frames->frame[i].pc, false, &place);
        CHECK(strcmp(place.function, host[i].function) == 0);
        CHECK(strcmp(place.file, host[i].file) == 0 && place.line == host[i].line);
        CHECK(place.offset == host[i].offset && place.is_go == host[i].is_go);
        CHECK((place.module == NULL) == (host[i].module == NULL));
        if (place.module == NULL)
            continue;
        CHECK(place.module != module && strcmp(place.module->path, module->path) == 0);
        CHECK(place.module->base == module->base && place.module->start == module->start &&
              place.module->end == module->end);
        CHECK(place.module->build_id_size == module->build_id_size &&
              memcmp(place.module->build_id, module->build_id, module->build_id_size) == 0);
        CHECK(place.module->is_shim == module->is_shim &&
              place.module->is_executable == module->is_executable &&
              place.module->is_go == module->is_go);
    }
    replay__end(&replay);
    {
        struct nsd_place place;

        naming__place(pc_in(3), false, &place); /* the process's own again */
        CHECK(place.module == module);
    }
}

/* ---- no more room ---- */

static void is_whole(bool whole) {
    CHECK(read_part((files(), names[0]), 0) && part__is_whole(&part) == whole);
    CHECK((part.head.unnamed == 0) == whole);
}

static void ids_of_stacks(void) {
    CHECK(begin() == NULL);
    event_at(stack(NSD_RECORD_STACKS - 1, 1, 0x1000, 0));
    is_whole(true);
    CHECK(tables(NSD_RECORD_STACK) == 1);
    event_at(stack(NSD_RECORD_STACKS, 1, 0x2000, 0));
    is_whole(false);
    CHECK(part.head.unnamed == 1);
    CHECK(tables(NSD_RECORD_STACK) == 1 && tables(NSD_RECORD_PLACE) == 1);
    CHECK(records_of(NSD_RECORD_EVENT) == 2);
}

/* Frames without an address have no name, and places that stacks share have one. */
static void places_once(void) {
    struct nsd_frames *first = stack(1, 4, 0x1000, 16), *second = stack(2, 6, 0x1000, 16);

    second->frame[5].pc = 0;
    CHECK(begin() == NULL);
    event_at(first);
    event_at(second);
    CHECK(read_part((files(), names[0]), 0));
    CHECK(tables(NSD_RECORD_STACK) == 2 && tables(NSD_RECORD_PLACE) == 5);
}

static void many_places(void) {
    unsigned id = 1;

    CHECK(begin_of_size(4 << 20) == NULL);
    for (; id <= 48; id++)
        event_at(stack(id, 64, 0x1000 + id * 1024u, 16));
    is_whole(true); /* three quarters of the table's 4096 */
    CHECK(tables(NSD_RECORD_PLACE) == 3072);
    event_at(stack(id, 64, 0x1000 + 1024u, 16)); /* known ones need no room */
    is_whole(true);
    event_at(stack(id + 1, 1, 0x100, 16));
    is_whole(false);
    CHECK(part.head.unnamed == 1);
    CHECK(tables(NSD_RECORD_PLACE) == 3072 && tables(NSD_RECORD_STACK) == 50);
}

static void full_tables(void) {
    CHECK(begin_of_size(NSD_PART_LEAST) == NULL);
    for (uint32_t id = 1; id <= 40; id++)
        event_at(stack(id, 8, 0x1000 + id * 128u, 16));
    is_whole(false);
    CHECK(part.head.tables_used <= part.head.tables_size);
    /* A sixteenth is for findings. */
    CHECK(part.head.tables_size - part.head.tables_used <
          sizeof(struct nsd_record_stack) + 128 + part.head.tables_size / 16);
    CHECK(part.head.tables_size - part.head.tables_used >= part.head.tables_size / 16);
    CHECK(part.head.keeping == 1);
}

/* ---- strings, without a writer around ---- */

static struct {
    struct nsd_record_part head;
    uint8_t table[256 * 1024];
} bare;

static void strings(void) {
    struct nsd_interned *interned = record_tables__begin(NULL);
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    struct nsd_part read = {.bytes = (const uint8_t *) &bare, .size = sizeof bare};
    char name[16], *huge = calloc(1, 6000);
    uint32_t number = 0;

    bare.head.tables = sizeof bare.head;
    bare.head.tables_size = sizeof bare.table;
    CHECK(record_tables__string(&bare.head, interned, NULL) == 0);
    CHECK(record_tables__string(&bare.head, interned, "") == 0);
    CHECK(record_tables__string(&bare.head, interned, "one") == 1);
    CHECK(record_tables__string(&bare.head, interned, "two") == 2);
    CHECK(record_tables__string(&bare.head, interned, "one") == 1);
    memset(huge, 'h', 5999);
    CHECK(record_tables__string(&bare.head, interned, huge) == 3); /* cut */
    CHECK(bare.head.tables_used == 16 + 16 + 8 + 4096 + 8);
    read.head.tables = bare.head.tables;
    read.head.tables_used = bare.head.tables_used;
    for (unsigned i = 0; i < 3; i++)
        CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_STRING);
    CHECK(record.count == 4096 && record.bytes[8] == 'h' && record.bytes[8 + 4095] == 'h');
    CHECK(bare.head.unnamed == 0);
    for (number = 4; number <= 3072; number++) {
        snprintf(name, sizeof name, "%u", number);
        CHECK(record_tables__string(&bare.head, interned, name) == number);
    }
    CHECK(record_tables__string(&bare.head, interned, "one too many") == 0);
    CHECK(bare.head.unnamed == 1 && record_tables__string(&bare.head, interned, "3072") == 3072);
    free(huge);
}

static void the_last_string_that_fits(void) {
    struct nsd_interned *interned = record_tables__begin(NULL);

    bare.head.tables = sizeof bare.head;
    bare.head.tables_size = 32;
    record_tables__for_findings(interned, true);
    CHECK(record_tables__string(&bare.head, interned, "seven..") == 1);
    CHECK(record_tables__string(&bare.head, interned, "eight...") == 0 && bare.head.unnamed == 1);
    CHECK(record_tables__string(&bare.head, interned, "7 again") == 2);
    CHECK(bare.head.tables_used == 32);
    CHECK(record_tables__string(&bare.head, interned, "x") == 0 && bare.head.unnamed == 2);
}

/* Events leave the end of the tables free: the last sixteenth, or a quarter of continued ones. */
static void room_for_findings(void) {
    struct nsd_interned *interned = record_tables__begin(NULL);
    uint32_t number = 0, unnamed;
    char name[8];

    memset(&bare, 0, sizeof bare.head);
    bare.head.tables = sizeof bare.head;
    bare.head.tables_size = 1024;
    do {
        snprintf(name, sizeof name, "%06u", ++number);
    } while (record_tables__string(&bare.head, interned, name) != 0);
    CHECK(number == 1024 / 16 - 4 + 1 && bare.head.tables_used == 1024 - 1024 / 16);
    unnamed = bare.head.unnamed;
    record_tables__for_findings(interned, true);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%06u", number);
        CHECK(record_tables__string(&bare.head, interned, name) == number++);
    }
    CHECK(bare.head.unnamed == unnamed && bare.head.tables_used == 1024);
    CHECK(record_tables__string(&bare.head, interned, "another") == 0);
}

/* Where no call may be made a copy takes its parent's memory, emptied, or has none. */
static void under_a_filter(void) {
    struct nsd_interned *interned = record_tables__begin(NULL);

    bare.head.tables = sizeof bare.head;
    bare.head.tables_size = 128;
    CHECK(record_tables__string(&bare.head, interned, "known") == 1);
    sys__forbid();
    CHECK(record_tables__begin(NULL) == NULL);
    CHECK(record_tables__begin(interned) == interned);
    CHECK(record_tables__string(&bare.head, interned, "known") == 1);
    CHECK(bare.head.tables_used == 32); /* written again: it was forgotten */
}

/* ---- findings of a part ---- */

static void findings_that_are_kept(void) {
    static struct nsd_finding found[3], then;
    struct nsd_kept kept;

    CHECK(begin() == NULL);
    event(NSD_CALL_SOCKET);
    for (unsigned i = 0; i < 3; i++)
        found[i] = (struct nsd_finding){
            .next = i < 2 ? &found[i + 1] : NULL,
            .severity = NSD_SEVERITY_ERROR,
            .message = i == 0 ? "first" : "another",
            .remedy = "do",
            .count = 1,
        };
    then = (struct nsd_finding){.message = "then", .severity = NSD_SEVERITY_WARNING};
    found[1].consequences = &then;
    findings.first = &found[0];
    findings.changes = 1;
    for (uint64_t i = 0; i < 40; i++)
        record__answer(i, true); /* more than are kept: from now on findings are */
    record__event_is_over(1, 0);
    CHECK(read_part((files(), names[0]), 0) && part__kept_count(&part) == 4);
    CHECK(part__kept(&part, 2, &kept) && kept.place >> 32 == 2 && (uint32_t) kept.place == 2);
    CHECK(((kept.words >> NSD_KEPT_SEVERITY_SHIFT) & 3) == NSD_SEVERITY_WARNING);
    CHECK((kept.words & NSD_KEPT_STRING_MASK) == 0);
    CHECK(part__kept(&part, 0, &kept) && kept.place == 0 && kept.count == 1);
    CHECK(part__kept(&part, 3, &kept) && kept.place == 3);
    /* Nothing has changed: it is not looked at. */
    found[0].count = 2;
    record__event_is_over(2, 0);
    CHECK(read_part(names[0], 0) && part__kept(&part, 0, &kept) && kept.count == 1);
    findings.changes++;
    record__event_is_over(2, 0);
    CHECK(read_part(names[0], 0) && part__kept(&part, 0, &kept) && kept.count == 2);
    /* One was taken over by another, which follows it now; the free entry is used again. */
    findings.first = &found[1];
    found[1].withdrawn = true;
    findings.changes++;
    record__event_is_over(3, 0);
    CHECK(read_part(names[0], 0) && !part__kept(&part, 0, &kept));
    CHECK(part__kept(&part, 1, &kept) && (kept.words & NSD_KEPT_WITHDRAWN) != 0);
    found[0].kept = 0;
    found[2].next = &found[0];
    found[0].next = NULL;
    findings.changes++;
    record__event_is_over(4, 0);
    CHECK(read_part(names[0], 0) && part__kept(&part, 0, &kept) && kept.place == 3);
    CHECK(part__kept_count(&part) == 4 && part.head.facts.lost == 0);
}

int main(void) {
    modules__begin();
    TEST(the_same_names);
    TEST(ids_of_stacks);
    TEST(places_once);
    TEST(many_places);
    TEST(full_tables);
    TEST(strings);
    TEST(the_last_string_that_fits);
    TEST(room_for_findings);
    TEST(under_a_filter);
    TEST(findings_that_are_kept);
    return end_of_tests();
}
