/*
 * The reader over recordings that are whole, cut off or damaged: what it says of a file that it
 * cannot take, that it reads what is there of one that it can, and that no number in a file leads
 * it out of the bytes.
 */
#include "record_bytes.h"

/* "0 1 2 | 5 6": the events that are read, and gaps between them. */
static const char *events_read(void) {
    static char text[1024];
    struct nsd_block_cursor cursor = {0};
    struct nsd_record record;
    struct nsd_event event;
    uint32_t stack;
    size_t used = 0;

    text[0] = '\0';
    CHECK(open_part(0));
    while (part__next_record(&part, &cursor, &record) && used < sizeof text - 32) {
        if (cursor.gap)
            used += (size_t) sprintf(text + used, "| ");
        if (record__read_event(&record, &event, &stack))
            used += (size_t) sprintf(text + used, "%d ", (int) event.goroutine);
        else
            used += (size_t) sprintf(text + used, "%u ", record.type + 1000u);
    }
    return text;
}

/* ---- the header ---- */

#define NOT_OURS "it is no recording of nsdrift's"
#define OTHER_NAMES "it was made by a build of nsdrift that numbers calls and rules otherwise"
#define SENSELESS "its header makes no sense"

static void headers(void) {
    static const struct {
        size_t offset, size;
        uint64_t value;
        const char *why;
    } rows[] = {
#define ROW(field, value, why)                                                                     \
    {offsetof(struct nsd_record_file, field), sizeof(((struct nsd_record_file *) 0)->field),       \
     value, why}
        ROW(magic, 1, NOT_OURS),
        ROW(magic, __builtin_bswap64(NSD_RECORD_MAGIC),
            "it was made on a machine of the other byte order"),
        ROW(version, NSD_RECORD_VERSION + 1, "it was made by a newer version of nsdrift"),
        ROW(version, NSD_RECORD_VERSION - 1, "it was made by an older version of nsdrift"),
        ROW(byte_order, 0x04030201, SENSELESS),
        ROW(header_size, PAGE + 1, SENSELESS),
        ROW(header_size, 0, SENSELESS),
        ROW(page_size, 2 * PAGE, SENSELESS),
        ROW(names, 1, OTHER_NAMES),
        ROW(version, NSD_RECORD_VERSION, NULL),
#undef ROW
    };
    const size_t least = PAGE + sizeof(struct nsd_record_part);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make();
        memcpy(bytes + rows[i].offset, &rows[i].value, rows[i].size);
        CHECK(recording__open(&recording, bytes, FILE_SIZE, &why) == (rows[i].why == NULL));
        if (!same(why, rows[i].why)) {
            failures++;
            printf("row %zu: \"%s\"\n", i, why);
        }
    }
    make();
    CHECK(!recording__open(&recording, bytes, 0, &why) && same(why, "it is empty"));
    CHECK(!recording__open(&recording, bytes, sizeof *file - 1, &why) && same(why, NOT_OURS));
    CHECK(!recording__open(&recording, bytes, least - 1, &why) &&
          same(why, "it is cut off before anything was recorded"));
    CHECK(recording__open(&recording, bytes, least, &why) && why == NULL && recording.cut);
    CHECK(recording__open(&recording, bytes, FILE_SIZE - 1, &why) && recording.cut);
    CHECK(recording__open(&recording, bytes, FILE_SIZE, &why) && !recording.cut);
    CHECK(recording.size == FILE_SIZE && recording.bytes == bytes);
}

/* ---- parts ---- */

static unsigned parts_of(uint32_t slices, uint32_t claimed, uint64_t slice_size, size_t size) {
    make();
    file->slices = slices;
    file->claimed = claimed;
    file->slice_size = slice_size;
    CHECK(recording__open(&recording, bytes, size, &why));
    return recording__parts(&recording);
}

static void parts(void) {
    CHECK(parts_of(2, 0, SLICE_SIZE, FILE_SIZE) == 1);
    CHECK(parts_of(2, 1, SLICE_SIZE, FILE_SIZE) == 2);
    CHECK(parts_of(2, 9, SLICE_SIZE, FILE_SIZE) == 3);
    CHECK(parts_of(0, 1, SLICE_SIZE, FILE_SIZE) == 1);
    CHECK(parts_of(2, 2, SLICE_SIZE, FILE_SIZE - 1) == 2);
    CHECK(parts_of(2, 2, SLICE_SIZE, PAGE + MAIN_SIZE) == 1);
    CHECK(parts_of(2, 2, sizeof(struct nsd_record_part) - 1, FILE_SIZE) == 1);
    CHECK(parts_of(2, 2, 0, FILE_SIZE) == 1);
    CHECK(parts_of(UINT32_MAX, UINT32_MAX, sizeof(struct nsd_record_part), FILE_SIZE) ==
          1 + 2 * SLICE_SIZE / sizeof(struct nsd_record_part));

    make();
    CHECK(open_part(0) && why == NULL && part.number == 0 && part.size == MAIN_SIZE);
    CHECK(same(part__program(&part), "launcher") && part.bytes == bytes + PAGE);
    CHECK(open_part(1) && part.number == 1 && part.size == SLICE_SIZE);
    CHECK(same(part__program(&part), "child") && part.bytes == bytes + PAGE + MAIN_SIZE);
    CHECK(!open_part(2) && same(why, "it is cut off"));
    part_head->state = 0;
    CHECK(!open_part(0) && same(why, "it was never begun"));
    make();
    file->main_size = sizeof *part_head - 1;
    CHECK(!open_part(0) && same(why, SENSELESS));
    make();
    file->claimed = 2; /* by a copy that has died before it began */
    CHECK(!open_part(2) && same(why, "it was never begun"));

    make();
    CHECK(open_part(0) && part__is_whole(&part));
    part_head->overwritten = 1;
    CHECK(open_part(0) && !part__is_whole(&part));
    part_head->overwritten = 0;
    part_head->keeping = 1;
    CHECK(open_part(0) && !part__is_whole(&part));
}

/* Where the pieces of a part are said to be, and whether it can be read then. */
static void pieces(void) {
    make();
    memset(&part_head->facts, 'x', sizeof part_head->facts);
    CHECK(open_part(0));
    CHECK(strlen(part.head.facts.path) == sizeof part_head->facts.path - 1);
    CHECK(strlen(part.head.facts.go) == sizeof part_head->facts.go - 1);
    CHECK(memcmp(part.head.facts.words + NSD_FACTS_WORDS - 5, "x\0\0\0", 5) == 0);

    make();
    part_head->tables_used = 2 * PAGE;
    part_head->kept_count = 100000;
    CHECK(open_part(0) && part.head.tables_used == PAGE);
    CHECK(part__kept_count(&part) == PAGE / sizeof(struct nsd_kept));
    part_head->kept_size = 64 * PAGE; /* more than there is */
    CHECK(open_part(0) &&
          part__kept_count(&part) == (MAIN_SIZE - 2 * PAGE) / sizeof(struct nsd_kept));
    part_head->tables = PAGE - 8;
    part_head->kept = MAIN_SIZE + 8;
    CHECK(open_part(0) && part.head.tables_used == 0 && part__kept_count(&part) == 0);
    part_head->tables = MAIN_SIZE;
    CHECK(open_part(0) && part.head.tables == MAIN_SIZE && part.head.tables_used == 0);
    part_head->tables = PAGE;
    part_head->kept = PAGE;
    part_head->kept_count = 3;
    CHECK(open_part(0) && part.head.tables_used == PAGE && part__kept_count(&part) == 3);

    part_head->more_tables = 3 * PAGE;
    part_head->more_tables_size = part_head->more_tables_used = 64 * PAGE;
    CHECK(open_part(0) && part.head.more_tables_used == MAIN_SIZE - 3 * PAGE);
    part_head->more_tables = PAGE - 8;
    CHECK(open_part(0) && part.head.more_tables_used == 0 && part.head.more_tables_size == 0);
    part_head->more_tables = MAIN_SIZE + 8;
    CHECK(open_part(0) && part.head.more_tables_used == 0 && part.head.more_tables == 0);

    part_head->blocks = PAGE - 8;
    CHECK(!open_part(0) && same(why, SENSELESS));
    part_head->blocks = MAIN_SIZE + PAGE;
    CHECK(!open_part(0) && same(why, SENSELESS));
    part_head->blocks = 3 * PAGE;
    part_head->head_blocks = BLOCKS;
    CHECK(!open_part(0));
    part_head->head_blocks = BLOCKS - 1;
    CHECK(open_part(0));
    part_head->block_count = NSD_BLOCKS_MOST;
    CHECK(open_part(0));
    part_head->block_count = NSD_BLOCKS_MOST + 1;
    CHECK(!open_part(0));
}

/* ---- blocks ---- */

static void fill(unsigned blocks, unsigned count) {
    make();
    for (unsigned i = 0; i < blocks; i++) {
        uint64_t place = i < BLOCKS ? i : HEAD_BLOCKS + (i - HEAD_BLOCKS) % (BLOCKS - HEAD_BLOCKS);

        fill_block(i + 1, place, i * count, count);
    }
}

static void order_of_blocks(void) {
    fill(3, 2);
    CHECK(same(events_read(), "0 1 2 3 4 5 "));
    fill(BLOCKS, 2);
    CHECK(same(events_read(), "0 1 2 3 4 5 6 7 8 9 10 11 "));
    /* The ring's first place was used again: head, a gap, and the newest in their order. */
    fill(BLOCKS + 1, 2);
    CHECK(same(events_read(), "0 1 2 3 | 6 7 8 9 10 11 12 13 "));
    fill(4 * BLOCKS, 1);
    CHECK(same(events_read(), "0 1 | 20 21 22 23 "));
    fill(0, 0);
    CHECK(same(events_read(), ""));
    /* Died while the next one was being cleared. */
    fill(BLOCKS + 1, 2);
    block_at(3)->sequence = 0;
    CHECK(same(events_read(), "0 1 2 3 | 8 9 10 11 12 13 "));
    fill(3, 2);
    block_at(1)->sequence = 1;
    CHECK(same(events_read(), "0 1 | 4 5 "));
    block_at(1)->sequence = UINT64_MAX / 2;
    CHECK(same(events_read(), "0 1 | 4 5 "));
    block_at(1)->sequence = 2;
    block_at(1)->used = sizeof(struct nsd_record_block) - 1;
    CHECK(same(events_read(), "0 1 | 4 5 "));
    block_at(1)->used = PAGE + 1;
    CHECK(same(events_read(), "0 1 | 4 5 "));
    block_at(1)->used = sizeof(struct nsd_record_block);
    CHECK(same(events_read(), "0 1 | 4 5 "));
    block_at(1)->used = sizeof(struct nsd_record_block) + 2 * sizeof(struct nsd_record_event);
    block_at(1)->first = 7;
    CHECK(same(events_read(), "0 1 | 2 3 | 4 5 "));
}

/* A damaged number in a block: every loop is bounded by the file's size all the same. */
static void a_number_beyond_all(void) {
    const uint64_t ring = BLOCKS - HEAD_BLOCKS, turns = 1ull << 60;

    fill(BLOCKS, 1);
    block_at(3)->sequence = 4 + turns * ring;
    CHECK(same(events_read(), "0 1 | 3 "));
}

static void files_that_are_cut(void) {
    struct nsd_block_cursor cursor;
    struct nsd_record record;
    size_t whole = PAGE + 3 * PAGE;

    for (unsigned blocks = 0; blocks <= 3; blocks++) {
        unsigned count = 0;

        fill(3, 2);
        memset(&cursor, 0, sizeof cursor);
        CHECK(recording__open(&recording, bytes, whole + blocks * PAGE + 1, &why));
        CHECK(recording__part(&recording, 0, &part, &why));
        while (part__next_record(&part, &cursor, &record))
            count++;
        CHECK(count == 2 * blocks);
    }
}

/* Each damage to the second of three records: the rest of its block is left out. */
static void damaged_records(void) {
    static const struct nsd_record_head heads[] = {
        {0, NSD_RECORD_EVENT, 0},
        {4, NSD_RECORD_EVENT, 0},
        {sizeof(struct nsd_record_event) - 8, NSD_RECORD_EVENT, 0},
        {sizeof(struct nsd_record_event) + 4, NSD_RECORD_EVENT, 0},
        {sizeof(struct nsd_record_event), NSD_RECORD_NONE, 0},
        {sizeof(struct nsd_record_event), NSD_RECORD_TYPES, 0},
        {sizeof(struct nsd_record_event), NSD_RECORD_EVENT, 1}, /* no room for an identity */
        {sizeof(struct nsd_record_answers) + 8, NSD_RECORD_ANSWERS, 1},
        {sizeof(struct nsd_record_learnt) - 8, NSD_RECORD_LEARNT, 0},
        {sizeof(struct nsd_record_judged) - 8, NSD_RECORD_JUDGED, 0},
        {PAGE, NSD_RECORD_EVENT, 0},
    };

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        fill(2, 3);
        ((struct nsd_record_event *) (block_at(0) + 1))[1].head = heads[i];
        if (!same(events_read(), "0 | 3 4 5 ")) {
            failures++;
            printf("head %zu: %s\n", i, events_read());
        }
    }
    fill(2, 3);
    block_at(0)->used -= 8;
    CHECK(same(events_read(), "0 1 | 3 4 5 "));
    fill(1, 1);
    block_at(0)->used = sizeof(struct nsd_record_block) + 4; /* not even a head */
    CHECK(same(events_read(), ""));
}

int main(void) {
    headers();
    parts();
    pieces();
    order_of_blocks();
    a_number_beyond_all();
    files_that_are_cut();
    damaged_records();
    free(bytes);
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
