/*
 * A recording that is made by hand, byte by byte: for tests of those who read it.
 *
 *     header | part header, tables, kept, blocks | two slices of a header and as many blocks
 */
#ifndef RECORD_BYTES_H
#define RECORD_BYTES_H

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

__attribute__((unused)) static bool same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* ---- a recording that is made by hand ---- */

#define PAGE NSD_RECORD_PAGE
#define BLOCKS 6u
#define HEAD_BLOCKS 2u
#define MAIN_SIZE ((3u + BLOCKS) * PAGE)
#define SLICE_SIZE ((1u + BLOCKS) * PAGE)
#define FILE_SIZE (PAGE + MAIN_SIZE + 2u * SLICE_SIZE)

static uint8_t *bytes; /* allocated to the size: what is read behind it is seen by a sanitizer */
static struct nsd_record_file *file;
static struct nsd_record_part *part_head;
static struct nsd_recording recording;
static struct nsd_part part;
static const char *why;

static void make_part(struct nsd_record_part *head, uint64_t size, bool is_slice) {
    head->state = NSD_RECORD_MAGIC;
    head->size = size;
    head->tables = head->kept = head->blocks = PAGE;
    if (!is_slice) {
        head->tables_size = head->kept_size = PAGE;
        head->kept = 2 * PAGE;
        head->blocks = 3 * PAGE;
    }
    head->block_count = BLOCKS;
    head->head_blocks = HEAD_BLOCKS;
    strcpy(head->facts.path, is_slice ? "/bin/child" : "/usr/bin/launcher");
}

static void make(void) {
    free(bytes);
    bytes = calloc(1, FILE_SIZE);
    file = (struct nsd_record_file *) bytes;
    part_head = (struct nsd_record_part *) (bytes + PAGE);
    *file = (struct nsd_record_file){
        .magic = NSD_RECORD_MAGIC,
        .version = NSD_RECORD_VERSION,
        .byte_order = NSD_RECORD_BYTE_ORDER,
        .header_size = PAGE,
        .page_size = PAGE,
        .file_size = FILE_SIZE,
        .main_size = MAIN_SIZE,
        .slice_size = SLICE_SIZE,
        .names = record_names__hash(),
        .slices = 2,
        .claimed = 1,
    };
    make_part(part_head, MAIN_SIZE, false);
    make_part((struct nsd_record_part *) (bytes + PAGE + MAIN_SIZE), SLICE_SIZE, true);
}

__attribute__((unused)) static bool open_part(unsigned number) {
    return recording__open(&recording, bytes, FILE_SIZE, &why) &&
           recording__part(&recording, number, &part, &why);
}

static struct nsd_record_block *block_at(uint64_t place) {
    return (struct nsd_record_block *) (bytes + PAGE + part_head->blocks + place * PAGE);
}

/* A block of `count` events, whose goroutines are their numbers. */
__attribute__((unused)) static void fill_block(uint64_t sequence, uint64_t place, uint64_t first,
                                               unsigned count) {
    struct nsd_record_block *block = block_at(place);
    struct nsd_record_event *event = (struct nsd_record_event *) (block + 1);

    *block = (struct nsd_record_block){sequence, first, sizeof *block + count * sizeof *event};
    for (unsigned i = 0; i < count; i++)
        event[i] = (struct nsd_record_event){
            .head = {sizeof *event, NSD_RECORD_EVENT, 0},
            .goroutine = (int64_t) (first + i),
            .call = NSD_CALL_SOCKET,
        };
}

#endif
