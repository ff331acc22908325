/*
 * From addresses to functions, files and lines (Go: runtime/symtab.go, runtime/symtabinl.go of 1.16
 * to 1.26): pc-value tables and inline trees. Called by naming, also from hooks: every loop is
 * bounded.
 */
#include "base/memory.h"
#include "names/pclntab_form.h"

#define PCDATA_INLINE_TREE_INDEX 2
#define FUNCDATA_INLINE_TREE 3
/* Longer than any table that a compiler made for one function. */
#define PC_VALUE_STEPS_MOST (1u << 20)

/* The string at this offset, "" where there is none or it does not end within the part. */
static const char *part__string(const struct nsd_pclntab_part *part, uint64_t offset) {
    if (offset >= part->size)
        return "";
    for (size_t i = offset; i < part->size && i - offset < 65536; i++)
        if (part->start[i] == 0)
            return (const char *) part->start + offset;
    return "";
}

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

/* pcsp is the word before pcfile in every form. */
int32_t pclntab__stack_size(const struct nsd_pclntab *table, uint64_t pc) {
    const uint8_t *record;
    uint64_t row;

    if (!pclntab_row__of(table, pc, &row) || (record = pclntab_row__record(table, row)) == NULL)
        return -1;
    return pc_value(table, pclntab__load32(record + table->form->pc_file - 4),
                    pclntab_row__entry(table, row), pc);
}

static void file_and_line(const struct nsd_pclntab *table, const uint8_t *record, uint64_t entry,
                          uint64_t pc, struct nsd_pclntab_frame *frame) {
    const struct nsd_pclntab_form *form = table->form;
    int32_t line = pc_value(table, pclntab__load32(record + form->pc_line), entry, pc);
    int32_t file = pc_value(table, pclntab__load32(record + form->pc_file), entry, pc);
    uint64_t unit = (uint64_t) pclntab__load32(record + form->unit) + (uint32_t) file;

    frame->file = "";
    frame->line = line > 0 ? (uint32_t) line : 0;
    if (file < 0 || !pclntab_part__holds(&table->units, unit * 4, 4))
        return;
    frame->file = part__string(&table->file_names, pclntab__load32(table->units.start + unit * 4));
}

/* The inline tree of a record within function_data: a size of 0 where it has none. */
static struct nsd_pclntab_part inline_tree(const struct nsd_pclntab *table, const uint8_t *record) {
    const struct nsd_pclntab_form *form = table->form;
    struct nsd_pclntab_part none = {NULL, 0};
    const struct nsd_pclntab_part *data = &table->function_data;
    uint64_t offset = (uint64_t) (record - table->records.start), at, tree;
    uint32_t values = pclntab__load32(record + form->pc_data_count);
    uint8_t pointers = record[form->func_data_count];

    if (data->size == 0 || values <= PCDATA_INLINE_TREE_INDEX || values > 64 ||
        pointers <= FUNCDATA_INLINE_TREE)
        return none;
    at = offset + form->tail + 4 * values;
    /* Pointers are aligned by their address (runtime/symtab.go of 1.16, funcdata). */
    if (form->func_data_size == 8 && ((uintptr_t) table->records.start + at) % 8 != 0)
        at += 4;
    at += (uint64_t) FUNCDATA_INLINE_TREE * form->func_data_size;
    if (!pclntab_part__holds(&table->records, at, form->func_data_size))
        return none;
    if (form->func_data_size == 8) {
        uint64_t pointer = pclntab__load64(table->records.start + at);

        if (pointer < (uintptr_t) data->start)
            return none;
        tree = pointer - (uintptr_t) data->start;
    } else {
        tree = pclntab__load32(table->records.start + at);
    }
    if (tree >= data->size)
        return none;
    return (struct nsd_pclntab_part){data->start + tree, data->size - tree};
}

/* The pc-value table that leads to nodes of the inline tree: 0 where nothing was inlined. */
static uint32_t inline_values(const struct nsd_pclntab *table, const uint8_t *record) {
    const struct nsd_pclntab_form *form = table->form;
    uint64_t at =
        (uint64_t) (record - table->records.start) + form->tail + 4 * PCDATA_INLINE_TREE_INDEX;

    if (pclntab__load32(record + form->pc_data_count) <= PCDATA_INLINE_TREE_INDEX ||
        !pclntab_part__holds(&table->records, at, 4))
        return 0;
    return pclntab__load32(table->records.start + at);
}

unsigned pclntab__frames(const struct nsd_pclntab *table, uint64_t pc,
                         struct nsd_pclntab_frame *frames, unsigned most) {
    const struct nsd_pclntab_form *form = table->form;
    const uint8_t *record;
    uint64_t row, entry;
    unsigned count = 0;

    if (most == 0 || !pclntab_row__of(table, pc, &row) ||
        (record = pclntab_row__record(table, row)) == NULL)
        return 0;
    entry = pclntab_row__entry(table, row);

    struct nsd_pclntab_part tree = inline_tree(table, record);
    uint32_t values = inline_values(table, record);

    for (unsigned depth = 0; tree.size != 0 && depth < 64; depth++) {
        int32_t node = pc_value(table, values, entry, pc);
        uint64_t at = (uint64_t) (uint32_t) node * form->node_size;
        uint32_t parent;

        if (node < 0 || !pclntab_part__holds(&tree, at, form->node_size))
            break;
        parent = pclntab__load32(tree.start + at + form->node_parent_pc);
        if (count + 1 < most) {
            struct nsd_pclntab_frame *frame = &frames[count++];

            file_and_line(table, record, entry, pc, frame);
            frame->function =
                part__string(&table->names, pclntab__load32(tree.start + at + form->node_name));
            frame->entry = entry;
            frame->inlined = true;
        }
        /* The instruction that stands for the call site. */
        if (entry + parent >= pclntab_row__entry(table, row + 1))
            break;
        pc = entry + parent;
    }

    struct nsd_pclntab_frame *frame = &frames[count++];

    file_and_line(table, record, entry, pc, frame);
    /* The call was inlined from an unknown place: the line is that function's, not this one's.
     */
    if (tree.size == 0 && pc_value(table, values, entry, pc) >= 0) {
        frame->file = "";
        frame->line = 0;
    }
    frame->function = part__string(&table->names, pclntab__load32(record + form->name));
    frame->entry = entry;
    frame->inlined = false;
    return count;
}

/*
 * Wrappers that the compiler makes around a call: for a go or defer statement (1.17 on), for a
 * method value, and for the method of an embedded type. They stand in no line of a source.
 */
static bool is_wrapper(const struct nsd_pclntab_frame *frame) {
    static const char *const pieces[] = {".gowrap", ".deferwrap", ".dwrap."};
    size_t length = string__length(frame->function);

    for (unsigned i = 0; i < 3; i++)
        if (memory__find(frame->function, length, pieces[i], string__length(pieces[i])) != NULL)
            return true;
    return (length > 3 && string__equal(frame->function + length - 3, "-fm")) ||
           string__equal(frame->file, "<autogenerated>");
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

/*
 * The shape of a generic function ("main.open[go.shape.int]") differs between releases of the
 * compiler. The name is written as Go's own stack traces write it: "main.open[...]".
 */
static void copy_function(char *to, size_t size, const char *from) {
    size_t first = 0, last, length = string__length(from);

    while (first < length && from[first] != '[')
        first++;
    for (last = length; last > first && from[last - 1] != ']';)
        last--;
    if (first + 1 >= last || first + 4 >= size) {
        copy_string(to, size, from);
        return;
    }
    memory__copy(to, from, first + 1);
    memory__copy(to + first + 1, "...", 3);
    copy_string(to + first + 4, size - first - 4, from + last - 1);
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
    while (frame > frames && is_wrapper(frame))
        frame--;
    copy_function(function, function_size, frame->function);
    copy_string(file, file_size, frame->file);
    *line = frame->line;
    *entry = frame->entry;
    return true;
}
