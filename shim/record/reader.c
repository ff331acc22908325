/*
 * Takes the bytes of a recording apart, see reader.h. Every number in the file is checked against
 * the file's size before it is used. A number out of range ends the record, block or part that it
 * stands in, not the reading.
 */
#include "record/reader.h"
#include "base/memory.h"
#include "record/names.h"

/* Its numbers of calls, rules and states stand for other names than they do here. */
#define OTHER_NAMES "it was made by a build of nsdrift that numbers calls and rules otherwise"

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* ---- the file ---- */

static bool fits(uint64_t offset, uint64_t size, uint64_t room) {
    return offset <= room && size <= room - offset;
}

bool recording__open(struct nsd_recording *recording, const void *bytes, size_t size,
                     const char **why) {
    struct nsd_record_file *file = &recording->file;

    memory__fill(recording, 0, sizeof *recording);
    recording->bytes = bytes;
    recording->size = size;
    *why = "it is empty";
    if (size == 0)
        return false;
    *why = "it is no recording of nsdrift's";
    if (size < sizeof *file)
        return false;
    memory__copy(file, bytes, sizeof *file);
    if (file->magic == __builtin_bswap64(NSD_RECORD_MAGIC)) {
        *why = "it was made on a machine of the other byte order";
        return false;
    }
    if (file->magic != NSD_RECORD_MAGIC)
        return false;
    *why = file->version > NSD_RECORD_VERSION ? "it was made by a newer version of nsdrift"
                                              : "it was made by an older version of nsdrift";
    if (file->version != NSD_RECORD_VERSION)
        return false;
    *why = OTHER_NAMES;
    if (file->names != record_names__hash())
        return false;
    *why = "its header makes no sense";
    if (file->byte_order != NSD_RECORD_BYTE_ORDER || file->header_size != NSD_RECORD_PAGE ||
        file->page_size != NSD_RECORD_PAGE)
        return false;
    recording->cut = file->file_size > size;
    if (!fits(file->header_size, sizeof(struct nsd_record_part), size)) {
        *why = "it is cut off before anything was recorded";
        return false;
    }
    *why = NULL;
    return true;
}

unsigned recording__parts(const struct nsd_recording *recording) {
    const struct nsd_record_file *file = &recording->file;
    uint64_t begin = (uint64_t) file->header_size + least(file->main_size, recording->size);
    uint64_t slices = least(file->slices, file->claimed);

    if (file->slice_size < sizeof(struct nsd_record_part) || begin >= recording->size)
        return 1;
    return 1 + (unsigned) least(slices, (recording->size - begin) / file->slice_size);
}

static void end_strings(struct nsd_record_facts *facts) {
    facts->path[sizeof facts->path - 1] = '\0';
    facts->go[sizeof facts->go - 1] = '\0';
    /* The lists of words end with empty strings, whatever the file says. */
    memory__fill(facts->words + sizeof facts->words - 4, 0, 4);
}

/* Cuts a section of the part to the bytes that are there. False if it begins outside. */
static bool bound(uint64_t offset, uint64_t *size, uint64_t room) {
    if (offset < NSD_RECORD_PAGE || offset > room)
        return false;
    *size = least(*size, room - offset);
    return true;
}

static bool check_part(struct nsd_part *part) {
    struct nsd_record_part *head = &part->head;
    uint64_t blocks_size = (uint64_t) head->block_count * NSD_RECORD_BLOCK;

    if (!bound(head->tables, &head->tables_size, part->size)) {
        head->tables = head->tables_size = 0;
    }
    if (!bound(head->kept, &head->kept_size, part->size))
        head->kept = head->kept_size = 0;
    if (!bound(head->blocks, &blocks_size, part->size) || head->head_blocks >= head->block_count ||
        head->block_count > NSD_BLOCKS_MOST)
        return false;
    /*
     * block_count stays as it is, even if the file was cut: the place of a block in the ring
     * depends on it.
     */
    head->tables_used = least(head->tables_used, head->tables_size);
    if (!bound(head->more_tables, &head->more_tables_size, part->size))
        head->more_tables = head->more_tables_size = 0;
    head->more_tables_used = least(head->more_tables_used, head->more_tables_size);
    head->kept_count =
        least(least(head->kept_count, NSD_KEPT_MOST), head->kept_size / sizeof(struct nsd_kept));
    end_strings(&head->facts);
    return true;
}

bool recording__part(const struct nsd_recording *recording, unsigned number, struct nsd_part *part,
                     const char **why) {
    const struct nsd_record_file *file = &recording->file;
    uint64_t begin = file->header_size, size = file->main_size;

    memory__fill(part, 0, sizeof *part);
    if (number > 0) {
        begin += least(file->main_size, recording->size) + (number - 1) * file->slice_size;
        size = file->slice_size;
    }
    *why = "it is cut off";
    if (!fits(begin, sizeof part->head, recording->size) || number >= recording__parts(recording))
        return false;
    part->bytes = recording->bytes + begin;
    part->size = (size_t) least(size, recording->size - begin);
    part->number = number;
    *why = "its header makes no sense";
    if (part->size < sizeof part->head)
        return false;
    memory__copy(&part->head, part->bytes, sizeof part->head);
    if (part->head.state != NSD_RECORD_MAGIC) {
        *why = "it was never begun";
        return false;
    }
    if (!check_part(part))
        return false;
    *why = NULL;
    return true;
}

bool part__is_whole(const struct nsd_part *part) {
    return part->head.overwritten == 0 && part->head.keeping == 0;
}

const char *part__program(const struct nsd_part *part) {
    return string__base_name(part->head.facts.path);
}

/* ---- records ---- */

static const size_t least_size[NSD_RECORD_TYPES] = {
    [NSD_RECORD_STRING] = sizeof(struct nsd_record_head) + 1,
    [NSD_RECORD_MODULE] = sizeof(struct nsd_record_module),
    [NSD_RECORD_PLACE] = sizeof(struct nsd_record_place),
    [NSD_RECORD_STACK] = sizeof(struct nsd_record_stack),
    [NSD_RECORD_EVENT] = sizeof(struct nsd_record_event),
    [NSD_RECORD_ANSWERS] = sizeof(struct nsd_record_answers),
    [NSD_RECORD_LEARNT] = sizeof(struct nsd_record_learnt),
    [NSD_RECORD_JUDGED] = sizeof(struct nsd_record_judged),
};

/* Bytes of each of the `count` items that follow. */
static const size_t item_size[NSD_RECORD_TYPES] = {
    [NSD_RECORD_STRING] = 1,
    [NSD_RECORD_STACK] = sizeof(((struct nsd_record_stack *) NULL)->frame[0]),
    [NSD_RECORD_EVENT] = sizeof(struct nsd_identity),
    [NSD_RECORD_ANSWERS] = sizeof(((struct nsd_record_answers *) NULL)->answer[0]),
};

/* The record at `at` within `room` bytes. */
static bool read_record(const uint8_t *at, uint64_t room, struct nsd_record *record) {
    struct nsd_record_head head;

    if (room < sizeof head)
        return false;
    memory__copy(&head, at, sizeof head);
    if (head.size < sizeof head || head.size > room || head.size % 8 != 0 ||
        head.type == NSD_RECORD_NONE || head.type >= NSD_RECORD_TYPES ||
        head.size < least_size[head.type] + head.count * item_size[head.type])
        return false;
    record->bytes = at;
    record->size = head.size;
    record->type = (enum nsd_record_type) head.type;
    record->count = head.count;
    return true;
}

bool part__next_table(const struct nsd_part *part, struct nsd_table_cursor *cursor,
                      struct nsd_record *record) {
    const struct nsd_record_part *head = &part->head;
    uint64_t first = head->tables_used, offset = cursor->offset;
    bool is_read;

    /* The continuation is read as if it followed the first part of the tables. */
    if (offset < first)
        is_read = read_record(part->bytes + head->tables + offset, first - offset, record);
    else
        is_read = offset - first < head->more_tables_used &&
                  read_record(part->bytes + head->more_tables + (offset - first),
                              head->more_tables_used - (offset - first), record);
    if (!is_read)
        return false;
    cursor->offset += record->size;
    if (record->type == NSD_RECORD_STRING) {
        /* The NUL stands where the count says. */
        if (record->bytes[sizeof(struct nsd_record_head) + record->count] != '\0')
            return false;
        cursor->strings++;
    }
    return true;
}

/* ---- blocks ---- */

static uint64_t ring_size(const struct nsd_record_part *head) {
    return head->block_count - head->head_blocks;
}

/* Finds the block with this number; NULL if the file ends before it. */
static const uint8_t *block_at(const struct nsd_part *part, uint64_t sequence,
                               struct nsd_record_block *block) {
    const struct nsd_record_part *head = &part->head;
    uint64_t index = sequence - 1, offset;

    if (index >= head->block_count)
        index = head->head_blocks + (index - head->head_blocks) % ring_size(head);
    offset = head->blocks + index * NSD_RECORD_BLOCK;
    if (!fits(offset, NSD_RECORD_BLOCK, part->size))
        return NULL;
    memory__copy(block, part->bytes + offset, sizeof *block);
    return part->bytes + offset;
}

static uint64_t newest_block(const struct nsd_part *part) {
    uint64_t newest = 0;

    for (uint64_t i = 0; i < part->head.block_count; i++) {
        struct nsd_record_block block;

        /* i + 1 is one of the numbers whose block stands in place i. */
        if (block_at(part, i + 1, &block) == NULL)
            break;
        if (block.sequence > newest && block.sequence < UINT64_MAX / 2)
            newest = block.sequence;
    }
    return newest;
}

/* Goes on to the next block whose number belongs in its place. */
static bool next_block(const struct nsd_part *part, struct nsd_block_cursor *cursor) {
    uint64_t ring = ring_size(&part->head), oldest = part->head.head_blocks + 1;
    uint64_t sequence = cursor->sequence + 1;

    if (cursor->last == 0)
        cursor->last = newest_block(part);
    if (cursor->last >= oldest + ring)
        oldest = cursor->last - ring + 1;
    for (; sequence <= cursor->last; sequence++) {
        struct nsd_record_block block;
        const uint8_t *bytes;

        if (sequence > part->head.head_blocks && sequence < oldest)
            sequence = oldest;
        bytes = block_at(part, sequence, &block);
        if (bytes == NULL || block.sequence != sequence || block.used < sizeof block ||
            block.used > NSD_RECORD_BLOCK)
            continue;
        cursor->sequence = sequence;
        cursor->block = bytes;
        cursor->offset = sizeof block;
        cursor->used = block.used;
        cursor->gap = cursor->gap || block.first != cursor->next_record;
        cursor->next_record = block.first;
        return true;
    }
    cursor->sequence = cursor->last;
    return false;
}

bool part__next_record(const struct nsd_part *part, struct nsd_block_cursor *cursor,
                       struct nsd_record *record) {
    cursor->gap = false;
    for (;;) {
        if (cursor->block != NULL && cursor->offset < cursor->used) {
            if (read_record(cursor->block + cursor->offset, cursor->used - cursor->offset,
                            record)) {
                cursor->offset += record->size;
                cursor->next_record++;
                return true;
            }
            /*
             * A damaged record: where the next one begins is not known, so the rest of the block is
             * skipped.
             */
            cursor->offset = cursor->used;
            cursor->gap = true;
        }
        if (!next_block(part, cursor))
            return false;
    }
}

bool record__read_event(const struct nsd_record *record, struct nsd_event *event, uint32_t *stack) {
    struct nsd_record_event from;

    memory__fill(event, 0, sizeof *event);
    if (record->type != NSD_RECORD_EVENT || record->count > NSD_KINDS)
        return false;
    memory__copy(&from, record->bytes, sizeof from);
    if (from.call >= NSD_CALLS || from.runtime > NSD_RUNTIME_GO || from.lock > NSD_LOCK_WEDGED ||
        from.path_owner > NSD_PATH_PID || (from.kinds >> (NSD_KINDS + 2)) != 0)
        return false;
    event->time = from.time;
    memory__copy(event->arguments, from.arguments, sizeof event->arguments);
    event->result = from.result;
    event->goroutine = from.goroutine;
    event->lock_epoch = from.lock_epoch;
    event->stack_pointer = from.stack_pointer;
    event->tid = from.tid;
    event->other_tid = from.other_tid;
    event->token = from.token;
    event->call = from.call;
    event->kinds = from.kinds;
    event->runtime = from.runtime;
    event->lock = from.lock;
    event->path_owner = from.path_owner;
    event->kernel_threads = from.kernel_threads;
    event->from_descriptor = from.from_descriptor != 0;
    event->explicit_end = from.explicit_end != 0;
    event->cancelled = from.cancelled != 0;
    event->identities = (uint8_t) record->count;
    memory__copy(event->identity, record->bytes + sizeof from,
                 record->count * sizeof event->identity[0]);
    for (unsigned i = 0; i < record->count; i++) {
        if (event->identity[i].kind >= NSD_KINDS)
            return false;
    }
    *stack = from.stack <= UINT32_MAX ? (uint32_t) from.stack : 0;
    return true;
}

bool record__read_answer(const struct nsd_record *record, unsigned index, uint64_t *value,
                         bool *could_be_read) {
    uint64_t words[2];

    if (record->type != NSD_RECORD_ANSWERS || index >= record->count)
        return false;
    memory__copy(words, record->bytes + sizeof(struct nsd_record_answers) + index * sizeof words,
                 sizeof words);
    *value = words[0];
    *could_be_read = words[1] != 0;
    return true;
}

bool record__read_learnt(const struct nsd_record *record, struct nsd_record_learnt *learnt) {
    if (record->type != NSD_RECORD_LEARNT)
        return false;
    memory__copy(learnt, record->bytes, sizeof *learnt);
    return learnt->kind < NSD_KINDS && learnt->identity.kind < NSD_KINDS;
}

bool record__read_judged(const struct nsd_record *record, struct nsd_record_judged *judged) {
    if (record->type != NSD_RECORD_JUDGED)
        return false;
    memory__copy(judged, record->bytes, sizeof *judged);
    return judged->occasion <= NSD_OCCASION_SIGNAL && judged->call < NSD_CALLS;
}

/* ---- kept findings ---- */

unsigned part__kept_count(const struct nsd_part *part) {
    return (unsigned) part->head.kept_count;
}

bool part__kept(const struct nsd_part *part, unsigned index, struct nsd_kept *kept) {
    if (index >= part->head.kept_count)
        return false;
    memory__copy(kept, part->bytes + part->head.kept + index * sizeof *kept, sizeof *kept);
    return (kept->words & NSD_KEPT_IN_USE) != 0 && kept->rule < NSD_RULES &&
           ((kept->words >> NSD_KEPT_SEVERITY_SHIFT) & 3) <= NSD_SEVERITY_ERROR &&
           kept->call < NSD_CALLS && kept->related_count <= NSD_RELATED_MOST;
}

/* ---- the index ---- */

bool index__open(struct nsd_index_view *index, const void *bytes, size_t size, const char **why) {
    memory__fill(index, 0, sizeof *index);
    index->bytes = bytes;
    index->size = size;
    *why = "it is no index of nsdrift's";
    if (size < NSD_RECORD_PAGE)
        return false;
    memory__copy(&index->head, bytes, sizeof index->head);
    if (index->head.magic != NSD_INDEX_MAGIC)
        return false;
    *why = "it is of another version of nsdrift";
    if (index->head.version != NSD_RECORD_VERSION ||
        index->head.byte_order != NSD_RECORD_BYTE_ORDER ||
        index->head.slot_size != sizeof(struct nsd_index_slot))
        return false;
    *why = OTHER_NAMES;
    if (index->head.names != record_names__hash())
        return false;
    *why = NULL;
    return true;
}

unsigned index__slots(const struct nsd_index_view *index) {
    return (unsigned) least(least(index->head.slots, index->head.claimed),
                            (index->size - NSD_RECORD_PAGE) / sizeof(struct nsd_index_slot));
}

bool index__slot(const struct nsd_index_view *index, unsigned number, struct nsd_index_slot *slot) {
    if (number >= index__slots(index))
        return false;
    memory__copy(slot, index->bytes + NSD_RECORD_PAGE + number * sizeof *slot, sizeof *slot);
    slot->recording[sizeof slot->recording - 1] = '\0';
    end_strings(&slot->facts);
    return slot->state == NSD_SLOT_FILLED;
}
