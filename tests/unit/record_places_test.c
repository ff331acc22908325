/*
 * What a part says of places, to the byte: with names that are made up here (naming is stood in
 * for), so that files, lines and Go's marks are among them; and where the tables go on once their
 * first room is full.
 */
#include "names/module.h"
#include "names/naming.h"
#include "record/part.h"
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

/* ---- names, by what the pc says ---- */

static struct nsd_module module = {.path = "/bin/host",
                                   .base = 100,
                                   .start = 110,
                                   .end = 120,
                                   .build_id = {9, 8, 7},
                                   .build_id_size = 3,
                                   .is_executable = true,
                                   .is_go = true};

void naming__place(uint64_t pc, bool exact, struct nsd_place *place) {
    CHECK(!exact);
    memset(place, 0, sizeof *place);
    snprintf(place->function, sizeof place->function, "function_%d", (int) pc);
    if (pc < 100) {
        strcpy(place->file, "/src/file.go");
        place->line = (uint32_t) pc + 1;
        place->is_go = true;
        place->module = &module;
    }
    place->offset = pc + 2;
}

uint32_t modules__number(const struct nsd_module *of) {
    return of == &module ? 4 : 0;
}

/* ---- a part ---- */

static uint8_t *bytes;
static struct nsd_record_part *part;
static struct nsd_interned *interned;
static uint32_t next_id;

static void begin(uint64_t size) {
    free(bytes);
    bytes = calloc(1, size);
    part = (struct nsd_record_part *) (void *) bytes;
    record_part__lay_out(part, size);
    interned = record_tables__begin(NULL);
    next_id = 1;
}

static uint32_t stack_of(uint64_t first_pc, unsigned depth) {
    struct nsd_frames *frames = calloc(1, sizeof *frames + depth * sizeof frames->frame[0]);
    uint32_t answer;

    frames->id = next_id++;
    frames->hash = 77;
    frames->depth = (uint16_t) depth;
    for (unsigned i = 0; i < depth; i++)
        frames->frame[i] = (struct nsd_frame){first_pc + i, 8 * i, i + 1};
    answer = record_tables__stack(part, interned, frames);
    free(frames);
    return answer;
}

static struct nsd_part reading(void) {
    return (struct nsd_part){.bytes = bytes, .size = part->size, .head = *part};
}

/* ---- what is there ---- */

static void a_place(void) {
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    struct nsd_record_module in_module;
    struct nsd_record_place place;
    struct nsd_part read;
    static const char *const strings[] = {"/bin/host", "function_5", "/src/file.go",
                                          "function_200"};
    struct {
        struct nsd_record_stack head;
        struct {
            uint64_t pc;
            uint32_t slot, module;
        } frame[1];
    } stack;

    begin(256 * 1024);
    CHECK(stack_of(5, 1) == 1 && stack_of(200, 1) == 2);
    CHECK(record_tables__stack(part, interned, NULL) == 0);
    read = reading();
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_STRING);
    CHECK(strcmp((const char *) record.bytes + 8, strings[0]) == 0);
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_MODULE);
    memcpy(&in_module, record.bytes, sizeof in_module);
    CHECK(in_module.number == 4 && in_module.path == 1 && in_module.base == 100 &&
          in_module.start == 110 && in_module.end == 120);
    CHECK(in_module.build_id_size == 3 && in_module.build_id[1] == 8 && !in_module.is_shim &&
          in_module.is_executable && in_module.is_go);
    for (unsigned i = 1; i < 3; i++) {
        CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_STRING);
        CHECK(strcmp((const char *) record.bytes + 8, strings[i]) == 0);
    }
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_PLACE);
    memcpy(&place, record.bytes, sizeof place);
    CHECK(place.pc == 5 && place.offset == 7 && place.function == 2 && place.file == 3);
    CHECK(place.line == 6 && place.module == 4 && place.is_go == 1);
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_STACK);
    memcpy(&stack, record.bytes, sizeof stack);
    CHECK(stack.head.id == 1 && stack.head.hash == 77 && stack.head.head.count == 1);
    CHECK(stack.frame[0].pc == 5 && stack.frame[0].slot == 0 && stack.frame[0].module == 1);
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_STRING);
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_PLACE);
    memcpy(&place, record.bytes, sizeof place);
    CHECK(place.pc == 200 && place.function == 4 && place.file == 0 && place.line == 0 &&
          place.module == 0 && place.is_go == 0);
    CHECK(part__next_table(&read, &cursor, &record) && record.type == NSD_RECORD_STACK);
    CHECK(!part__next_table(&read, &cursor, &record));
    CHECK(part->unnamed == 0);
}

/* ---- the tables go on ---- */

#define PAGES 32u /* 8 of tables, 4 of kept findings, 19 of blocks, of which 4 are the head */

static struct nsd_record_block *block(unsigned number) {
    return (struct nsd_record_block *) (bytes + part->blocks + number * 4096u);
}

static unsigned stacks_read(void) {
    struct nsd_table_cursor cursor = {0};
    struct nsd_record record;
    struct nsd_part read = reading();
    unsigned count = 0;

    while (part__next_table(&read, &cursor, &record))
        count += record.type == NSD_RECORD_STACK;
    return count;
}

/* Until there is no room; the number of stacks that found some. */
static unsigned fill(void) {
    unsigned made = 0;

    while (made < 5000 && stack_of(1000 + made * 8u, 8) != 0)
        made++;
    return made;
}

static void continued(unsigned used, unsigned taken) {
    unsigned made;

    begin(PAGES * 4096u);
    record_tables__for_findings(interned, true); /* to the very end */
    CHECK(part->block_count == 19 && part->head_blocks == 4);
    for (unsigned i = 0; i < used; i++)
        block(i)->sequence = i + 1;
    made = fill();
    CHECK(made > 0 && part->unnamed > 0 && stacks_read() == made);
    CHECK(part->block_count == 19 - taken && part->more_tables_size == taken * 4096u);
    CHECK(taken == 0 || part->more_tables == part->blocks + (19u - taken) * 4096u);
    CHECK(part->tables_used <= part->tables_size);
    CHECK(part->more_tables_used <= part->more_tables_size);
    CHECK(taken == 0 || part->more_tables_used > part->more_tables_size - 1024);
    /* What has found its place in the first room stays there, and later ones find none in it. */
    CHECK(record_tables__string(part, interned, "x") == 0 || taken != 0);
}

static void tables_that_go_on(void) {
    continued(0, 7); /* half of the ring's 15 */
    continued(4, 7);
    continued(8, 5);
    continued(17, 1);
    continued(18, 0); /* one unused block is not halved */
    continued(19, 0);
}

static void the_ring_keeps_two_blocks(void) {
    begin(PAGES * 4096u);
    part->block_count = 7;
    part->head_blocks = 4;
    CHECK(fill() > 0 && part->block_count == 6 && part->more_tables_size == 4096);
    begin(PAGES * 4096u);
    part->block_count = 6;
    part->head_blocks = 4;
    fill();
    CHECK(part->block_count == 6 && part->more_tables_size == 0);
}

int main(void) {
    a_place();
    tables_that_go_on();
    the_ring_keeps_two_blocks();
    free(bytes);
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}
