/*
 * The tables of a part: strings (each once), modules, places (names of program counters) and
 * stacks, each written when it is first needed. Called by the writer under the ledger's lock. Names
 * are looked up at once, since a program that was killed cannot be asked later.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "names/modules.h"
#include "names/naming.h"
#include "record/part.h"
#include <linux/mman.h>

#define STRINGS 4096u /* powers of two */
#define PLACES 4096u
#define STACKS NSD_RECORD_STACKS
#define MODULES 512u
#define STRING_MOST 4096u
/* Shares of the first and of the continued tables that only findings use. */
#define FIRST_SHARE 16u
#define MORE_SHARE 4u

struct nsd_interned {
    struct {
        uint64_t hash;
        uint64_t number;
    } string[STRINGS];
    uint64_t place[PLACES]; /* pc */
    uint8_t stack[STACKS];  /* by id */
    uint8_t module[MODULES];
    uint32_t strings, places;
    bool for_findings; /* what is written now belongs to a finding, not to an event */
    /* Too large for the stack of a hook. */
    struct nsd_place looked_up;
};

struct nsd_interned *record_tables__begin(struct nsd_interned *old) {
    long at;

    if (sys__is_forbidden()) {
        if (old != NULL)
            memory__fill(old, 0, sizeof *old);
        return old;
    }
    at = sys__mmap(NULL, sizeof(struct nsd_interned), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return SYS_IS_ERROR(at) ? NULL : (struct nsd_interned *) at;
}

static const struct nsd_record_block *block_at(const struct nsd_record_part *part, uint32_t index) {
    return (const struct nsd_record_block *) ((const char *) part + part->blocks +
                                              (uint64_t) index * NSD_RECORD_BLOCK);
}

/*
 * Continues the tables in half of the blocks that no event has used yet: a program that does little
 * may still have long names. Works once; false if there are no such blocks. A reader that looks at
 * this moment sees fewer blocks, none of which was in use.
 */
static bool continue_tables(struct nsd_record_part *part) {
    uint32_t unused = 0, taken;

    if (part->more_tables_size != 0)
        return false;
    while (unused < part->block_count - part->head_blocks &&
           block_at(part, part->block_count - 1 - unused)->sequence == 0)
        unused++;
    /* The ring keeps at least two blocks. */
    taken = unused / 2;
    if (taken == 0 || part->block_count - taken < part->head_blocks + 2)
        return false;
    part->block_count -= taken;
    part->more_tables = part->blocks + (uint64_t) part->block_count * NSD_RECORD_BLOCK;
    record__commit(&part->more_tables_size, (uint64_t) taken * NSD_RECORD_BLOCK);
    return true;
}

/*
 * The end of the tables is for findings: a program with thousands of stacks would leave no room for
 * the words and the stack of the finding that comes last.
 */
static size_t kept_free(const struct nsd_interned *interned, uint64_t size, unsigned share) {
    return interned->for_findings ? 0 : size / share;
}

static bool fits(const struct nsd_interned *interned, size_t size, uint64_t used, uint64_t all,
                 unsigned share) {
    return size + kept_free(interned, all, share) <= all - used;
}

/* Once the tables are continued, nothing more goes into their first part. */
static bool fits_first(const struct nsd_record_part *part, const struct nsd_interned *interned,
                       size_t size) {
    return part->more_tables_size == 0 &&
           fits(interned, size, part->tables_used, part->tables_size, FIRST_SHARE);
}

/* Room for a record at the end of the tables. NULL if there is none, which is counted. */
static void *begin_record(struct nsd_record_part *part, const struct nsd_interned *interned,
                          enum nsd_record_type type, size_t size, size_t count) {
    struct nsd_record_head *head;
    uint64_t at = part->tables + part->tables_used;

    if (!fits_first(part, interned, size)) {
        if (part->more_tables_size == 0)
            continue_tables(part);
        if (!fits(interned, size, part->more_tables_used, part->more_tables_size, MORE_SHARE)) {
            part->unnamed++;
            return NULL;
        }
        at = part->more_tables + part->more_tables_used;
    }
    head = (struct nsd_record_head *) ((char *) part + at);
    head->size = (uint32_t) size;
    head->type = (uint16_t) type;
    head->count = (uint16_t) count;
    return head;
}

static void end_record(struct nsd_record_part *part, size_t size) {
    if (part->more_tables_size == 0)
        record__commit(&part->tables_used, part->tables_used + size);
    else
        record__commit(&part->more_tables_used, part->more_tables_used + size);
}

static size_t rounded(size_t size) {
    return (size + 7) & ~(size_t) 7;
}

void record_tables__for_findings(struct nsd_interned *interned, bool for_findings) {
    interned->for_findings = for_findings;
}

uint32_t record_tables__string(struct nsd_record_part *part, struct nsd_interned *interned,
                               const char *string) {
    size_t length = string == NULL ? 0 : string__length(string);
    uint64_t hash;
    struct nsd_record_head *head;
    unsigned at;

    if (length == 0)
        return 0;
    if (length > STRING_MOST)
        length = STRING_MOST;
    hash = hash__bytes(HASH_START, string, length) | 1;
    for (at = (unsigned) (hash >> 20) % STRINGS; interned->string[at].hash != 0;
         at = (at + 1) % STRINGS) {
        if (interned->string[at].hash == hash)
            return (uint32_t) interned->string[at].number;
    }
    if (interned->strings >= STRINGS / 4 * 3) {
        part->unnamed++;
        return 0;
    }
    head =
        begin_record(part, interned, NSD_RECORD_STRING, rounded(sizeof *head + length + 1), length);
    if (head == NULL)
        return 0;
    memory__copy(head + 1, string, length);
    ((char *) (head + 1))[length] = '\0';
    end_record(part, head->size);
    interned->string[at].hash = hash;
    interned->string[at].number = ++interned->strings;
    return interned->strings;
}

static uint32_t note_module(struct nsd_record_part *part, struct nsd_interned *interned,
                            const struct nsd_module *module) {
    uint32_t number = modules__number(module), path;
    struct nsd_record_module *record;

    if (number == 0 || number >= MODULES)
        return 0;
    if (interned->module[number] != 0)
        return number;
    path = record_tables__string(part, interned, module->path);
    record = begin_record(part, interned, NSD_RECORD_MODULE, sizeof *record, 0);
    if (record == NULL)
        return 0;
    record->base = module->base;
    record->start = module->start;
    record->end = module->end;
    record->number = number;
    record->path = path;
    memory__copy(record->build_id, module->build_id, sizeof record->build_id);
    record->build_id_size = module->build_id_size;
    record->is_shim = module->is_shim;
    record->is_executable = module->is_executable;
    record->is_go = module->is_go;
    end_record(part, sizeof *record);
    interned->module[number] = 1;
    return number;
}

static void note_place(struct nsd_record_part *part, struct nsd_interned *interned, uint64_t pc) {
    struct nsd_place *place = &interned->looked_up;
    struct nsd_record_place *record;
    uint32_t function, file, module;
    unsigned at;

    if (pc == 0)
        return;
    for (at = (unsigned) ((pc * 0x9e3779b97f4a7c15ull) >> 40) % PLACES; interned->place[at] != 0;
         at = (at + 1) % PLACES) {
        if (interned->place[at] == pc)
            return;
    }
    if (interned->places >= PLACES / 4 * 3) {
        part->unnamed++;
        return;
    }
    naming__place(pc, false, place);
    module = note_module(part, interned, place->module);
    function = record_tables__string(part, interned, place->function);
    file = record_tables__string(part, interned, place->file);
    record = begin_record(part, interned, NSD_RECORD_PLACE, sizeof *record, 0);
    if (record == NULL)
        return;
    record->pc = pc;
    record->offset = place->offset;
    record->function = function;
    record->file = file;
    record->line = place->line;
    record->module = module;
    record->is_go = place->is_go;
    end_record(part, sizeof *record);
    interned->place[at] = pc;
    interned->places++;
}

uint32_t record_tables__stack(struct nsd_record_part *part, struct nsd_interned *interned,
                              const struct nsd_frames *frames) {
    struct nsd_record_stack *record;
    size_t size;

    if (frames == NULL)
        return 0;
    if (frames->id < STACKS && interned->stack[frames->id] != 0)
        return frames->id;
    if (frames->id >= STACKS) {
        part->unnamed++;
        return 0;
    }
    for (unsigned i = 0; i < frames->depth; i++)
        note_place(part, interned, frames->frame[i].pc);
    size = sizeof *record + frames->depth * sizeof record->frame[0];
    record = begin_record(part, interned, NSD_RECORD_STACK, size, frames->depth);
    if (record == NULL)
        return 0;
    record->hash = frames->hash;
    record->id = frames->id;
    for (unsigned i = 0; i < frames->depth; i++) {
        record->frame[i].pc = frames->frame[i].pc;
        record->frame[i].slot = frames->frame[i].slot;
        record->frame[i].module = frames->frame[i].module;
    }
    end_record(part, size);
    interned->stack[frames->id] = 1;
    return frames->id;
}
