/*
 * The reader of pclntab, form by form: header, name table, function records, pc-value tables and
 * inline trees (Go: internal/abi/symtab.go, runtime/symtab.go, cmd/link/internal/ld/pcln.go of
 * 1.16 to 1.26). Called at start, by the report and by hooks that name a frame. Every offset is
 * checked against its part of the table and every loop is bounded, because the bytes may be
 * anybody's.
 */
#include "names/pclntab.h"
#include "base/memory.h"
#include <stdatomic.h>

/* How one family of releases lays the table out: a row for each, everything else is the same. */
struct nsd_pclntab_form {
    uint32_t magic;
    uint8_t header_words; /* after the first 8 bytes */
    uint8_t text_word;    /* which of them is textStart, 0 none */
    uint8_t offset_word;  /* the first of the five offsets */
    uint8_t entry_size;   /* of one column of the function table: 4 relative, 8 absolute */
    /* in a function's record */
    uint8_t name, pc_file, pc_line, pc_data_count, unit, func_data_count, tail;
    uint8_t func_data_size; /* 4: offset from moduledata.gofunc; 8: a pointer */
    /* in an inline tree */
    uint8_t node_size, node_name, node_parent_pc;
};

static const struct nsd_pclntab_form forms[] = {
    /* 1.16, 1.17 */
    {0xfffffffa, 7, 0, 2, 8, 8, 24, 28, 32, 36, 43, 44, 8, 20, 12, 16},
    /* 1.18, 1.19 */
    {0xfffffff0, 8, 2, 3, 4, 4, 20, 24, 28, 32, 39, 40, 4, 20, 12, 16},
    /* 1.20 and later */
    {0xfffffff1, 8, 2, 3, 4, 4, 20, 24, 28, 32, 43, 44, 4, 16, 4, 8},
};

#define PCDATA_INLINE_TREE_INDEX 2
#define FUNCDATA_INLINE_TREE 3
/* Longer than any table that a compiler made for one function. */
#define PC_VALUE_STEPS_MOST (1u << 20)
/* How far beyond the last thing that must be found the optional ones are looked for. */
#define NAMES_BEYOND (64u * 1024)
#define FUNCTIONS_BEYOND 2048u

static uint32_t load32(const uint8_t *from) {
    uint32_t value;

    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t load64(const uint8_t *from) {
    uint64_t value;

    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static bool part__holds(const struct nsd_pclntab_part *part, uint64_t offset, uint64_t size) {
    return offset <= part->size && size <= part->size - offset;
}

/* The string at this offset, "" where there is none or it does not end within the part. */
static const char *part__string(const struct nsd_pclntab_part *part, uint64_t offset) {
    if (offset >= part->size)
        return "";
    for (size_t i = offset; i < part->size && i - offset < 65536; i++)
        if (part->start[i] == 0)
            return (const char *) part->start + offset;
    return "";
}

bool pclntab__open(struct nsd_pclntab *table, const uint8_t *start, size_t size, uint64_t text,
                   const char **why) {
    const struct nsd_pclntab_form *form = NULL;
    uint64_t word[8], offset[6];

    memory__fill(table, 0, sizeof *table);
    if (start == NULL || size < 8 + 8 * 8) {
        *why = "pclntab is too short";
        return false;
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i].magic == load32(start))
            form = &forms[i];
    if (form == NULL) {
        *why = "pclntab has an unknown magic number";
        return false;
    }
    if (start[4] != 0 || start[5] != 0 || (start[6] != 1 && start[6] != 2 && start[6] != 4) ||
        start[7] != 8) {
        *why = "pclntab has an unknown header";
        return false;
    }
    for (unsigned i = 0; i < form->header_words; i++)
        word[i] = load64(start + 8 + 8 * i);
    for (unsigned i = 0; i < 5; i++)
        offset[i] = word[form->offset_word + i];
    offset[5] = size;
    for (unsigned i = 0; i < 5; i++) {
        if (offset[i] > offset[i + 1] || offset[i] < 8u + 8u * form->header_words) {
            *why = "pclntab has parts out of order";
            return false;
        }
    }
    table->start = start;
    table->size = size;
    table->magic = form->magic;
    table->quantum = start[6];
    table->form = form;
    table->functions = word[0];
    table->files = word[1];
    table->text = text != 0 || form->text_word == 0 ? text : word[form->text_word];
    struct nsd_pclntab_part *parts[5] = {&table->names, &table->units, &table->file_names,
                                         &table->pc_values, &table->records};
    for (unsigned i = 0; i < 5; i++)
        *parts[i] = (struct nsd_pclntab_part){start + offset[i], offset[i + 1] - offset[i]};
    /* Two columns a function, and the end of the last one. */
    if (table->functions == 0 || table->functions > table->records.size / (2u * form->entry_size) ||
        (2 * table->functions + 1) * form->entry_size > table->records.size) {
        *why = "pclntab has no room for its functions";
        return false;
    }
    return true;
}

/* Row `index` of the function table; index == functions gives the end of the last one. */
static uint64_t entry_of(const struct nsd_pclntab *table, uint64_t index) {
    const uint8_t *at = table->records.start + 2 * index * table->form->entry_size;

    return table->form->entry_size == 8 ? load64(at) : table->text + load32(at);
}

/* The record of row `index`, NULL where it does not lie within the table. */
static const uint8_t *record_of(const struct nsd_pclntab *table, uint64_t index) {
    const struct nsd_pclntab_form *form = table->form;
    const uint8_t *at = table->records.start + (2 * index + 1) * form->entry_size;
    uint64_t offset = form->entry_size == 8 ? load64(at) : load32(at);

    return part__holds(&table->records, offset, form->tail) ? table->records.start + offset : NULL;
}

static uint32_t name_offset_of(const struct nsd_pclntab *table, uint64_t index) {
    const uint8_t *record = record_of(table, index);

    return record ? load32(record + table->form->name) : UINT32_MAX;
}

/* The row whose function holds pc: the last one that begins at or before it. */
static bool row_of(const struct nsd_pclntab *table, uint64_t pc, uint64_t *row) {
    uint64_t low = 0, high = table->functions;

    if (pc < entry_of(table, 0) || pc >= entry_of(table, table->functions))
        return false;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (entry_of(table, middle) <= pc)
            low = middle;
        else
            high = middle;
    }
    *row = low;
    return true;
}

void pclntab__range(const struct nsd_pclntab *table, uint64_t *start, uint64_t *end) {
    *start = entry_of(table, 0);
    *end = entry_of(table, table->functions);
}

uint64_t pclntab__end_of(const struct nsd_pclntab *table, uint64_t entry) {
    uint64_t row;

    if (!row_of(table, entry, &row) || entry_of(table, row) != entry)
        return 0;
    return entry_of(table, row + 1);
}

/* ---- names to addresses ---- */

/* Which of 16 bytes are NUL. */
static unsigned zero_bytes(const uint8_t *at) {
#if defined(__SSE2__)
    typedef char block __attribute__((vector_size(16)));
    block bytes;

    __builtin_memcpy(&bytes, at, sizeof bytes);
    return (unsigned) __builtin_ia32_pmovmskb128((block) (bytes == 0));
#else
    unsigned zeros = 0;

    for (unsigned i = 0; i < 16; i++)
        zeros |= (unsigned) (at[i] == 0) << i;
    return zeros;
#endif
}

/* A few bits for each thing that is wanted: nearly all others are turned away by one test. */
struct sieve {
    uint64_t bits[32];
};

static uint32_t sieve_place(uint32_t key) {
    return (key * 0x9e3779b9u) >> 21;
}

static void sieve__add(struct sieve *sieve, uint32_t key) {
    uint32_t place = sieve_place(key);

    sieve->bits[place / 64] |= 1ull << (place % 64);
}

static bool sieve__lets_through(const struct sieve *sieve, uint32_t key) {
    uint32_t place = sieve_place(key);

    return sieve->bits[place / 64] & (1ull << (place % 64));
}

/* Of a name of at least four bytes: its end, where names of one package differ, and its length. */
static uint32_t name_key(const uint8_t *name, size_t length) {
    return load32(name + length - 4) + (uint32_t) length;
}

/* How many of those that must be found are not yet: in the name table, or in the records. */
static unsigned open_wishes(const struct nsd_pclntab_wish *wishes, unsigned count, bool records) {
    unsigned open = 0;

    for (unsigned i = 0; i < count; i++)
        if (!wishes[i].optional &&
            (records ? wishes[i].names != 0 && wishes[i].count == 0 : wishes[i].names == 0))
            open++;
    return open;
}

static void take_name(const struct nsd_pclntab *table, const uint8_t *at, size_t length,
                      struct nsd_pclntab_wish *wishes, unsigned count, const uint8_t **stop) {
    const uint8_t *end = table->names.start + table->names.size;

    for (unsigned i = 0; i < count; i++) {
        struct nsd_pclntab_wish *wish = &wishes[i];

        if (wish->name_length != length || wish->names == NSD_PCLNTAB_ENTRIES ||
            !memory__equal(wish->name, at, length))
            continue;
        wish->name_offset[wish->names++] = (uint32_t) (at - table->names.start);
        if (open_wishes(wishes, count, false) == 0)
            *stop = end - at > NAMES_BEYOND ? at + NAMES_BEYOND : end;
        return;
    }
}

/*
 * Fills name_offset of every wish whose name stands in the name table. The linker writes names in
 * the order of the text, where the runtime comes early: in 100,000 functions they lie in the first
 * fiftieth. Names of three bytes or less are in no package.
 */
static void find_names(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                       unsigned count) {
    const uint8_t *name = table->names.start, *end = name + table->names.size, *stop = end;
    struct sieve sieve = {{0}};

    for (unsigned i = 0; i < count; i++)
        if (wishes[i].name_length >= 4)
            sieve__add(&sieve, name_key((const uint8_t *) wishes[i].name, wishes[i].name_length));
    for (const uint8_t *at = name; at < stop; at += 16) {
        uint8_t rest[16];
        unsigned zeros;

        if (end - at < 16) {
            memory__fill(rest, 1, sizeof rest);
            memory__copy(rest, at, (size_t) (end - at));
            zeros = zero_bytes(rest);
        } else {
            zeros = zero_bytes(at);
        }
        for (; zeros != 0; zeros &= zeros - 1) {
            const uint8_t *nul = at + __builtin_ctz(zeros);
            size_t length = (size_t) (nul - name);

            if (length >= 4 && sieve__lets_through(&sieve, name_key(name, length)))
                take_name(table, name, length, wishes, count, &stop);
            name = nul + 1;
        }
    }
}

static bool is_named(const struct nsd_pclntab_wish *wish, uint32_t name) {
    for (unsigned i = 0; i < wish->names; i++)
        if (wish->name_offset[i] == name)
            return true;
    return false;
}

/* Takes the row if its name is wanted. */
static bool take_row(const struct nsd_pclntab *table, uint64_t row, uint32_t name,
                     struct nsd_pclntab_wish *wishes, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct nsd_pclntab_wish *wish = &wishes[i];

        if (!is_named(wish, name))
            continue;
        if (wish->count < NSD_PCLNTAB_ENTRIES)
            wish->entry[wish->count++] = entry_of(table, row);
        return true;
    }
    return false;
}

/*
 * The row at which the names up to `offset` have been used up, less a margin: names are numbered
 * in the order of the functions, but one that was inlined earlier has its number from there.
 */
static uint64_t first_row_for(const struct nsd_pclntab *table, uint32_t offset) {
    uint64_t low = 0, high = table->functions;

    while (high - low > 1024) {
        uint64_t middle = low + (high - low) / 2;
        uint32_t most = 0;

        for (uint64_t i = middle; i < middle + 16 && i < high; i++) {
            uint32_t name = name_offset_of(table, i);

            if (name != UINT32_MAX && name > most)
                most = name;
        }
        if (most < offset)
            low = middle;
        else
            high = middle;
    }
    return low > 1024 ? low - 1024 : 0;
}

static void find_rows(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                      unsigned count) {
    struct sieve sieve = {{0}};
    uint64_t row, last;
    uint32_t first = UINT32_MAX;
    unsigned open = open_wishes(wishes, count, true);

    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < wishes[i].names; k++) {
            sieve__add(&sieve, wishes[i].name_offset[k]);
            if (wishes[i].name_offset[k] < first)
                first = wishes[i].name_offset[k];
        }
    }
    if (first == UINT32_MAX)
        return;
    row = last = first_row_for(table, first);
    for (; row < table->functions; row++) {
        uint32_t name = name_offset_of(table, row);

        if (sieve__lets_through(&sieve, name) && take_row(table, row, name, wishes, count)) {
            last = row;
            open = open_wishes(wishes, count, true);
        }
        /* A name without a function (inlined everywhere) must not lead to the table's end. */
        if (row - last > (open ? 16 : 1) * FUNCTIONS_BEYOND)
            break;
    }
}

unsigned pclntab__find_all(const struct nsd_pclntab *table, struct nsd_pclntab_wish *wishes,
                           unsigned count) {
    unsigned found = 0;

    if (count > 64)
        count = 64;
    for (unsigned i = 0; i < count; i++) {
        wishes[i].name_length = (uint32_t) string__length(wishes[i].name);
        wishes[i].names = 0;
        wishes[i].count = 0;
    }
    find_names(table, wishes, count);
    find_rows(table, wishes, count);
    for (unsigned i = 0; i < count; i++)
        found += wishes[i].count != 0;
    return found;
}

unsigned pclntab__find(const struct nsd_pclntab *table, const char *name, uint64_t *entries,
                       unsigned most) {
    struct nsd_pclntab_wish wish = {.name = name};
    unsigned count;

    pclntab__find_all(table, &wish, 1);
    count = wish.count < most ? wish.count : most;
    for (unsigned i = 0; i < count; i++)
        entries[i] = wish.entry[i];
    return count;
}

/* ---- addresses to lines ---- */

static bool varint(const uint8_t **at, const uint8_t *end, uint32_t *value) {
    uint32_t result = 0;

    for (unsigned shift = 0; shift < 35 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;

        if (shift < 32)
            result |= (uint32_t) (byte & 127) << shift;
        if (byte < 128) {
            *value = result;
            return true;
        }
    }
    return false;
}

/* The value that the table at `offset` has at pc; -1 if none. The function begins at `entry`. */
static int32_t pc_value(const struct nsd_pclntab *table, uint32_t offset, uint64_t entry,
                        uint64_t pc) {
    const struct nsd_pclntab_part *part = &table->pc_values;
    const uint8_t *at, *end = part->start + part->size;
    uint64_t reached = entry;
    uint32_t value = UINT32_MAX;

    if (offset == 0 || offset >= part->size)
        return -1;
    at = part->start + offset;
    for (unsigned step = 0; step < PC_VALUE_STEPS_MOST; step++) {
        uint32_t delta, advance;

        if (!varint(&at, end, &delta) || (delta == 0 && step != 0) || !varint(&at, end, &advance))
            return -1;
        value += delta & 1 ? ~(delta >> 1) : delta >> 1;
        reached += (uint64_t) advance * table->quantum;
        if (pc < reached)
            return (int32_t) value;
    }
    return -1;
}

static void file_and_line(const struct nsd_pclntab *table, const uint8_t *record, uint64_t entry,
                          uint64_t pc, struct nsd_pclntab_frame *frame) {
    const struct nsd_pclntab_form *form = table->form;
    int32_t line = pc_value(table, load32(record + form->pc_line), entry, pc);
    int32_t file = pc_value(table, load32(record + form->pc_file), entry, pc);
    uint64_t unit = (uint64_t) load32(record + form->unit) + (uint32_t) file;

    frame->file = "";
    frame->line = line > 0 ? (uint32_t) line : 0;
    if (file < 0 || !part__holds(&table->units, unit * 4, 4))
        return;
    frame->file = part__string(&table->file_names, load32(table->units.start + unit * 4));
}

/* The inline tree of a record within function_data: a size of 0 where it has none. */
static struct nsd_pclntab_part inline_tree(const struct nsd_pclntab *table, const uint8_t *record) {
    const struct nsd_pclntab_form *form = table->form;
    struct nsd_pclntab_part none = {NULL, 0};
    const struct nsd_pclntab_part *data = &table->function_data;
    uint64_t offset = (uint64_t) (record - table->records.start), at, tree;
    uint32_t values = load32(record + form->pc_data_count);
    uint8_t pointers = record[form->func_data_count];

    if (data->size == 0 || values <= PCDATA_INLINE_TREE_INDEX || values > 64 ||
        pointers <= FUNCDATA_INLINE_TREE)
        return none;
    at = offset + form->tail + 4 * values;
    /* Pointers are aligned by their address (runtime/symtab.go of 1.16, funcdata). */
    if (form->func_data_size == 8 && ((uintptr_t) table->records.start + at) % 8 != 0)
        at += 4;
    at += (uint64_t) FUNCDATA_INLINE_TREE * form->func_data_size;
    if (!part__holds(&table->records, at, form->func_data_size))
        return none;
    if (form->func_data_size == 8) {
        uint64_t pointer = load64(table->records.start + at);

        if (pointer < (uintptr_t) data->start)
            return none;
        tree = pointer - (uintptr_t) data->start;
    } else {
        tree = load32(table->records.start + at);
    }
    if (tree >= data->size)
        return none;
    return (struct nsd_pclntab_part){data->start + tree, data->size - tree};
}

unsigned pclntab__frames(const struct nsd_pclntab *table, uint64_t pc,
                         struct nsd_pclntab_frame *frames, unsigned most) {
    const struct nsd_pclntab_form *form = table->form;
    const uint8_t *record;
    uint64_t row, entry;
    unsigned count = 0;

    if (most == 0 || !row_of(table, pc, &row) || (record = record_of(table, row)) == NULL)
        return 0;
    entry = entry_of(table, row);

    struct nsd_pclntab_part tree = inline_tree(table, record);
    uint32_t values = tree.size ? load32(record + form->tail + 4 * PCDATA_INLINE_TREE_INDEX) : 0;

    for (unsigned depth = 0; tree.size != 0 && depth < 64; depth++) {
        int32_t node = pc_value(table, values, entry, pc);
        uint64_t at = (uint64_t) (uint32_t) node * form->node_size;
        uint32_t parent;

        if (node < 0 || !part__holds(&tree, at, form->node_size))
            break;
        parent = load32(tree.start + at + form->node_parent_pc);
        if (count + 1 < most) {
            struct nsd_pclntab_frame *frame = &frames[count++];

            file_and_line(table, record, entry, pc, frame);
            frame->function =
                part__string(&table->names, load32(tree.start + at + form->node_name));
            frame->entry = entry;
            frame->inlined = true;
        }
        /* The instruction that stands for the call site; it lies before no other node's own. */
        if (entry + parent >= entry_of(table, row + 1))
            break;
        pc = entry + parent;
    }

    struct nsd_pclntab_frame *frame = &frames[count++];

    file_and_line(table, record, entry, pc, frame);
    frame->function = part__string(&table->names, load32(record + form->name));
    frame->entry = entry;
    frame->inlined = false;
    return count;
}

/* What the compiler puts around the call of a go or defer statement (1.17 on): nobody's own code.
 */
static bool is_wrapper(const char *function) {
    static const char *const pieces[] = {".gowrap", ".deferwrap", ".dwrap."};
    size_t length = string__length(function);

    for (unsigned i = 0; i < 3; i++)
        if (memory__find(function, length, pieces[i], string__length(pieces[i])) != NULL)
            return true;
    return false;
}

static void copy_string(char *to, size_t size, const char *from) {
    size_t length = string__length(from);

    if (size == 0)
        return;
    if (length > size - 1)
        length = size - 1;
    memory__copy(to, from, length);
    to[length] = 0;
}

bool pclntab__line(const struct nsd_pclntab *table, uint64_t pc, char *function,
                   size_t function_size, char *file, size_t file_size, uint32_t *line,
                   uint64_t *entry) {
    struct nsd_pclntab_frame frames[16];
    unsigned count = pclntab__frames(table, pc, frames, 16);
    const struct nsd_pclntab_frame *frame;

    if (count == 0)
        return false;
    frame = &frames[count - 1];
    while (frame > frames && is_wrapper(frame->function))
        frame--;
    copy_string(function, function_size, frame->function);
    copy_string(file, file_size, frame->file);
    *line = frame->line;
    *entry = frame->entry;
    return true;
}

/* ---- the tables of this process ---- */

#define TABLES_MOST 16

static struct {
    struct nsd_pclntab table;
    uint64_t start, end;
} registered[TABLES_MOST];
static _Atomic unsigned registered_count;

/* Start and module loads only, one at a time: readers see a whole entry or none. */
void pclntab__register(const struct nsd_pclntab *table, uint64_t text_start, uint64_t text_end) {
    unsigned count = atomic_load_explicit(&registered_count, memory_order_relaxed);

    if (count == TABLES_MOST)
        return;
    registered[count].table = *table;
    registered[count].start = text_start;
    registered[count].end = text_end;
    atomic_store_explicit(&registered_count, count + 1, memory_order_release);
}

const struct nsd_pclntab *pclntab__of(uint64_t pc) {
    unsigned count = atomic_load_explicit(&registered_count, memory_order_acquire);

    for (unsigned i = 0; i < count; i++)
        if (pc >= registered[i].start && pc < registered[i].end)
            return &registered[i].table;
    return NULL;
}
