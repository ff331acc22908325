/*
 * Single records as the reader gives them: every field of an event, answers, what was learnt, what
 * was judged, strings of the tables, kept findings, slots of the index; and a number out of range
 * in any of them, which takes the record out of the reading.
 */
#include "record/names.h"
#include "record/reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

#define PAGE NSD_RECORD_PAGE

static struct nsd_record record_of(const void *bytes, enum nsd_record_type type, unsigned count) {
    return (struct nsd_record){.bytes = bytes, .size = 4096, .type = type, .count = count};
}

/* ---- events ---- */

static struct {
    struct nsd_record_event event;
    struct nsd_identity identity[NSD_KINDS + 1];
} from;

static struct nsd_event event;
static uint32_t stack;

static bool read_event(unsigned identities) {
    struct nsd_record record = record_of(&from, NSD_RECORD_EVENT, identities);

    memset(&event, 0xff, sizeof event);
    return record__read_event(&record, &event, &stack);
}

static void whole_event(void) {
    memset(&from, 0, sizeof from);
    from.event = (struct nsd_record_event){
        .time = 1,
        .arguments = {2, 3, 4, 5, 6},
        .result = -7,
        .goroutine = 8,
        .lock_epoch = 9,
        .stack = 10,
        .stack_pointer = 11,
        .tid = 12,
        .other_tid = 13,
        .token = 14,
        .call = NSD_CALL_SETNS,
        .kinds = 15,
        .runtime = NSD_RUNTIME_GO,
        .lock = NSD_LOCK_CGO,
        .path_owner = NSD_PATH_TASK,
        .kernel_threads = 16,
        .from_descriptor = 1,
        .explicit_end = 1,
        .cancelled = 1,
    };
    from.identity[0] = (struct nsd_identity){.id = 17, .inode = 18, .device = 19, .kind = 3};
    from.identity[1].kind = NSD_KINDS - 1;
}

static void events(void) {
    whole_event();
    CHECK(read_event(2));
    CHECK(event.time == 1 && event.arguments[0] == 2 && event.arguments[4] == 6);
    CHECK(event.result == -7 && event.goroutine == 8 && event.lock_epoch == 9 && stack == 10);
    CHECK(event.stack_pointer == 11 && event.tid == 12 && event.other_tid == 13);
    CHECK(event.token == 14 && event.call == NSD_CALL_SETNS && event.kinds == 15);
    CHECK(event.runtime == NSD_RUNTIME_GO && event.lock == NSD_LOCK_CGO);
    CHECK(event.path_owner == NSD_PATH_TASK && event.kernel_threads == 16);
    CHECK(event.from_descriptor && event.explicit_end && event.cancelled);
    CHECK(event.identities == 2 && event.identity[0].id == 17 && event.identity[0].inode == 18 &&
          event.identity[0].device == 19 && event.identity[0].kind == 3 &&
          event.identity[1].kind == NSD_KINDS - 1 && event.identity[2].kind == 0);
    CHECK(event.frames == NULL);
    from.event.from_descriptor = from.event.explicit_end = 0;
    from.event.cancelled = 0;
    from.event.stack = UINT32_MAX;
    CHECK(read_event(0) && stack == UINT32_MAX && event.identities == 0);
    CHECK(!event.from_descriptor && !event.explicit_end && !event.cancelled);
    from.event.stack = 1ull + UINT32_MAX;
    CHECK(read_event(0) && stack == 0);
}

/* The greatest value of a field that makes sense, and that the next one does not. */
#define BOUND(field, greatest)                                                                     \
    do {                                                                                           \
        whole_event();                                                                             \
        from.event.field = (greatest);                                                             \
        CHECK(read_event(0));                                                                      \
        from.event.field = (greatest) + 1;                                                         \
        CHECK(!read_event(0));                                                                     \
    } while (0)

static void events_out_of_range(void) {
    struct nsd_record learnt = record_of(&from, NSD_RECORD_LEARNT, 0);

    BOUND(call, NSD_CALLS - 1);
    BOUND(runtime, NSD_RUNTIME_GO);
    BOUND(lock, NSD_LOCK_WEDGED);
    BOUND(path_owner, NSD_PATH_PID);
    BOUND(kinds, (1u << (NSD_KINDS + 2)) - 1);
    whole_event();
    CHECK(read_event(NSD_KINDS) && !read_event(NSD_KINDS + 1));
    from.identity[1].kind = NSD_KINDS;
    CHECK(read_event(1) && !read_event(2));
    CHECK(!record__read_event(&learnt, &event, &stack));
}

/* ---- the small ones ---- */

static void answers(void) {
    struct {
        struct nsd_record_answers head;
        uint64_t words[4];
    } bytes = {.words = {7, 1, 8, 0}};
    struct nsd_record two = record_of(&bytes, NSD_RECORD_ANSWERS, 2);
    struct nsd_record other = record_of(&bytes, NSD_RECORD_EVENT, 2);
    uint64_t value;
    bool could;

    CHECK(record__read_answer(&two, 0, &value, &could) && value == 7 && could);
    CHECK(record__read_answer(&two, 1, &value, &could) && value == 8 && !could);
    CHECK(!record__read_answer(&two, 2, &value, &could));
    CHECK(!record__read_answer(&other, 0, &value, &could));
}

static bool learns(uint32_t kind, uint32_t identity_kind) {
    struct nsd_record_learnt bytes = {
        .tid = 5, .kind = kind, .identity = {.inode = 9, .kind = identity_kind}};
    struct nsd_record record = record_of(&bytes, NSD_RECORD_LEARNT, 0);
    struct nsd_record_learnt read = {.tid = 0};
    bool can = record__read_learnt(&record, &read);

    CHECK(read.tid == 5 && read.identity.inode == 9);
    record.type = NSD_RECORD_JUDGED;
    CHECK(!record__read_learnt(&record, &read));
    return can;
}

static bool judges(uint32_t occasion, uint32_t call) {
    struct nsd_record_judged bytes = {
        .occasion = occasion, .call = call, .tid = 5, .ticks = 6, .wall = 7};
    struct nsd_record record = record_of(&bytes, NSD_RECORD_JUDGED, 0);
    struct nsd_record_judged read = {.tid = 0};
    bool can = record__read_judged(&record, &read);

    CHECK(read.tid == 5 && read.ticks == 6 && read.wall == 7 && read.call == call);
    record.type = NSD_RECORD_LEARNT;
    CHECK(!record__read_judged(&record, &read));
    return can;
}

static void learnt_and_judged(void) {
    CHECK(learns(0, NSD_KINDS - 1) && learns(NSD_KINDS - 1, 0));
    CHECK(!learns(NSD_KINDS, 0) && !learns(0, NSD_KINDS));
    CHECK(judges(NSD_OCCASION_EXIT, 0) && judges(NSD_OCCASION_SIGNAL, NSD_CALLS - 1));
    CHECK(!judges(NSD_OCCASION_SIGNAL + 1, 0) && !judges(0, NSD_CALLS));
}

/* ---- tables ---- */

static uint8_t table[PAGE];
static struct nsd_part part = {.bytes = table, .size = sizeof table};

static void put_string(const char *string, unsigned count, unsigned size) {
    struct nsd_record_head head = {
        .size = size, .type = NSD_RECORD_STRING, .count = (uint16_t) count};

    memcpy(table + part.head.tables + part.head.tables_used, &head, sizeof head);
    memcpy(table + part.head.tables + part.head.tables_used + sizeof head, string,
           strlen(string) + 1);
    part.head.tables_used += size;
}

/* How many records can be read, and the number of strings among them. */
static unsigned read_table(uint32_t *strings) {
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    unsigned records = 0;

    while (part__next_table(&part, &cursor, &record)) {
        records++;
        if (record.type == NSD_RECORD_STRING)
            CHECK(strlen((const char *) record.bytes + sizeof(struct nsd_record_head)) ==
                  record.count);
    }
    *strings = cursor.strings;
    return records;
}

static void tables(void) {
    uint32_t strings;

    part.head.tables = 64;
    part.head.tables_used = 0;
    CHECK(read_table(&strings) == 0 && strings == 0);
    put_string("seven..", 7, 16);
    put_string("eight...", 8, 24);
    CHECK(read_table(&strings) == 2 && strings == 2);
    put_string("nine.....", 8, 24); /* no NUL where it says that it ends */
    put_string("never read", 10, 24);
    CHECK(read_table(&strings) == 2 && strings == 2);
    part.head.tables_used = 0;
    put_string("too long", 8, 16); /* its NUL is outside */
    CHECK(read_table(&strings) == 0);
    part.head.tables_used = 0;
    put_string("", 0, 16);
    put_string("cut", 3, 16);
    part.head.tables_used -= 8;
    CHECK(read_table(&strings) == 1 && strings == 1);
    /* Two rooms, read as one. */
    part.head.tables_used = 0;
    put_string("first", 5, 16);
    part.head.more_tables = part.head.tables + 512;
    part.head.tables += 512;
    part.head.tables_used = 0;
    put_string("second", 6, 16);
    put_string("third", 5, 16);
    part.head.more_tables_used = part.head.tables_used;
    part.head.tables -= 512;
    part.head.tables_used = 16;
    CHECK(read_table(&strings) == 3 && strings == 3);
    part.head.more_tables_used -= 8;
    CHECK(read_table(&strings) == 2);
    part.head.tables_used += 8; /* damaged: what follows is not read */
    CHECK(read_table(&strings) == 1);
    part.head.tables_used = part.head.more_tables_used = 0;
}

/* ---- kept findings ---- */

static void kept_findings(void) {
    struct nsd_kept *entry = (struct nsd_kept *) (void *) (table + 64), read;
    const uint64_t severe = NSD_KEPT_IN_USE | (uint64_t) NSD_SEVERITY_ERROR
                                                  << NSD_KEPT_SEVERITY_SHIFT;

    memset(table, 0, sizeof table);
    part.head.kept = 64;
    part.head.kept_count = 2;
    CHECK(part__kept_count(&part) == 2 && !part__kept(&part, 0, &read));
#define KEPT_BOUND(field, greatest)                                                                \
    do {                                                                                           \
        entry[1] = (struct nsd_kept){.words = severe, .tid = 6};                                   \
        entry[1].field = (greatest);                                                               \
        CHECK(part__kept(&part, 1, &read) && read.tid == 6);                                       \
        entry[1].field = (greatest) + 1;                                                           \
        CHECK(!part__kept(&part, 1, &read));                                                       \
    } while (0)
    KEPT_BOUND(rule, NSD_RULES - 1);
    KEPT_BOUND(call, NSD_CALLS - 1);
    KEPT_BOUND(related_count, NSD_RELATED_MOST);
    entry[1] = (struct nsd_kept){.words = severe | 1ull << NSD_KEPT_SEVERITY_SHIFT};
    CHECK(!part__kept(&part, 1, &read));
    entry[1].words = severe & ~NSD_KEPT_IN_USE;
    CHECK(!part__kept(&part, 1, &read));
    entry[2].words = severe;
    CHECK(!part__kept(&part, 2, &read));
}

/* ---- the index ---- */

static void index_of_a_folder(void) {
    const size_t size = PAGE + 3 * sizeof(struct nsd_index_slot);
    uint8_t *bytes = calloc(1, size);
    struct nsd_index *head = (struct nsd_index *) (void *) bytes;
    struct nsd_index_slot *slot = (struct nsd_index_slot *) (void *) (bytes + PAGE), read;
    struct nsd_index_view view;
    const char *why;

    *head = (struct nsd_index){.magic = NSD_INDEX_MAGIC,
                               .version = NSD_RECORD_VERSION,
                               .byte_order = NSD_RECORD_BYTE_ORDER,
                               .slot_size = sizeof *slot,
                               .names = record_names__hash(),
                               .slots = 9,
                               .claimed = 8};
    CHECK(index__open(&view, bytes, size, &why) && why == NULL && index__slots(&view) == 3);
    CHECK(index__open(&view, bytes, size - 1, &why) && index__slots(&view) == 2);
    CHECK(index__open(&view, bytes, PAGE, &why) && index__slots(&view) == 0);
    CHECK(!index__open(&view, bytes, PAGE - 1, &why) &&
          strcmp(why, "it is no index of nsdrift's") == 0);
    head->claimed = 2;
    CHECK(index__open(&view, bytes, size, &why) && index__slots(&view) == 2);
    head->claimed = 8;
    head->slots = 1;
    CHECK(index__open(&view, bytes, size, &why) && index__slots(&view) == 1);
    head->slots = 9;
    CHECK(index__open(&view, bytes, size, &why));
    memset(&slot[2], 'x', sizeof slot[2]);
    slot[2].state = NSD_SLOT_CLAIMED;
    CHECK(!index__slot(&view, 0, &read) && !index__slot(&view, 2, &read));
    slot[2].state = NSD_SLOT_FILLED;
    CHECK(index__slot(&view, 2, &read) && strlen(read.recording) == NSD_INDEX_RECORDING - 1 &&
          strlen(read.facts.path) == sizeof read.facts.path - 1);
    CHECK(!index__slot(&view, 3, &read));
#define OTHER(field, value)                                                                        \
    do {                                                                                           \
        struct nsd_index saved = *head;                                                            \
                                                                                                   \
        head->field = (value);                                                                     \
        CHECK(!index__open(&view, bytes, size, &why) &&                                            \
              strcmp(why, "it is of another version of nsdrift") == 0);                            \
        *head = saved;                                                                             \
    } while (0)
    OTHER(version, NSD_RECORD_VERSION + 1);
    OTHER(byte_order, 1);
    OTHER(slot_size, sizeof *slot + 8);
    head->names++;
    CHECK(!index__open(&view, bytes, size, &why) &&
          strcmp(why, "it was made by a build of nsdrift that numbers calls and rules otherwise") ==
              0);
    head->names--;
    head->magic = 1;
    CHECK(!index__open(&view, bytes, size, &why) &&
          strcmp(why, "it is no index of nsdrift's") == 0);
    free(bytes);
}

int main(void) {
    events();
    events_out_of_range();
    answers();
    learnt_and_judged();
    tables();
    kept_findings();
    index_of_a_folder();
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
