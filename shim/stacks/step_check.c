/*
 * Runs the call frame instructions of one function up to a pc, to learn which words of the stack
 * they name (DWARF 5, 6.4; .eh_frame as in the Linux Standard Base, core, 10.6). Called by unwind.c
 * before each of libunwind's steps, in hooks: bounded, no allocation, every read is within the
 * module's table or the stack.
 */
#include "stacks/step_check.h"

#include "base/memory.h"
#include "stacks/on_stack.h"
#include "stacks_machine.h"

#include <stddef.h>

#define REMEMBERED 4u
#define INSTRUCTIONS_MOST 4096u
#define OPERATIONS_MOST 64u
#define VALUES_MOST 16u

/*
 * libunwind keeps each saved state on its stack until the step is done (CFI_Parser's
 * parseFDEInstructions calls alloca for every DW_CFA_remember_state, also for those that were
 * restored), and compilers write one for each early return: a function of perl's has 73.
 */
#define SAVED_STATE_SIZE 576u
#define STEP_SIZE (6u << 10) /* what a step takes besides */

enum rule_kind { RULE_SAME, RULE_UNDEFINED, RULE_AT_OFFSET, RULE_AT_EXPRESSION, RULE_VALUE };

/* Kept small: several rows stand on the host's stack. */
struct row {
    int32_t place[NSD_DWARF_REGISTERS]; /* offset from the CFA, or of an expression from the
                                           module's start */
    uint8_t kind[NSD_DWARF_REGISTERS];  /* enum rule_kind */
    uint8_t cfa_register;
    int32_t cfa_offset;
    uint32_t cfa_expression; /* from the module's start; 0: register and offset */
};

/* A run of table bytes; a read past the end yields zero and marks it bad. */
struct bytes {
    const uint8_t *at, *end;
    bool bad;
};

struct table {
    struct bytes initial, instructions; /* of the CIE, of the FDE */
    const uint8_t *module_start;
    uint64_t code_factor;
    int64_t data_factor;
};

struct checker {
    unw_cursor_t *cursor;
    const struct nsd_extent *extent;
    const uint8_t *module_start, *module_end;
    uintptr_t cfa;
};

static uint64_t take(struct bytes *bytes, size_t size) {
    uint64_t value = 0;

    if ((size_t) (bytes->end - bytes->at) < size) {
        bytes->bad = true;
        bytes->at = bytes->end;
        return 0;
    }
    memory__copy(&value, bytes->at, size);
    bytes->at += size;
    return value;
}

static uint64_t take_unsigned(struct bytes *bytes) {
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = take(bytes, 1);

        value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    bytes->bad = true;
    return 0;
}

static int64_t take_signed(struct bytes *bytes) {
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64;) {
        uint64_t byte = take(bytes, 1);

        value |= (byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) == 0) {
            if ((byte & 0x40) != 0 && shift < 64)
                value |= ~(uint64_t) 0 << shift;
            return (int64_t) value;
        }
    }
    bytes->bad = true;
    return 0;
}

/* Size of a pointer in this DW_EH_PE_ encoding, 0 for those of no fixed size. */
static size_t encoded_size(uint8_t encoding) {
    static const uint8_t sizes[16] = {8, 0, 2, 4, 8, 0, 0, 0, 8, 0, 2, 4, 8, 0, 0, 0};

    return encoding == 0xff ? 0 : sizes[encoding & 15];
}

/* One CIE or FDE at `at`, without its length; false if it is not wholly in the module. */
static bool open_entry(const struct nsd_module *module, uintptr_t at, struct bytes *entry) {
    uint32_t length;

    if (at < module->start || at >= module->end || module->end - at < 8)
        return false;
    memory__copy(&length, (const void *) at, sizeof(length));
    if (length < 4 || length >= 0xfffffff0u || length > module->end - at - 4)
        return false;
    entry->at = (const uint8_t *) at + 4;
    entry->end = entry->at + length;
    entry->bad = false;
    return true;
}

static bool open_table(const struct nsd_module *module, uintptr_t fde, struct table *table) {
    struct bytes *cie = &table->initial, *instructions = &table->instructions;
    uint8_t pointer_encoding = 0;
    const char *augmentation;
    uint64_t version, back;
    uintptr_t field;

    table->module_start = (const uint8_t *) module->start;
    if (!open_entry(module, fde, instructions))
        return false;
    field = (uintptr_t) instructions->at;
    back = take(instructions, 4);
    if (back == 0 || back > field || !open_entry(module, field - back, cie) || take(cie, 4) != 0)
        return false;
    version = take(cie, 1);
    augmentation = (const char *) cie->at;
    while (take(cie, 1) != 0)
        ;
    table->code_factor = take_unsigned(cie);
    table->data_factor = take_signed(cie);
    if ((version == 1 ? take(cie, 1) : take_unsigned(cie)) != NSD_DWARF_RETURN_ADDRESS || cie->bad)
        return false;
    if (augmentation[0] == 'z') {
        uint64_t size = take_unsigned(cie);
        struct bytes data = {cie->at, cie->at + size, false};

        if (size > (uint64_t) (cie->end - cie->at))
            return false;
        for (const char *c = augmentation + 1; *c != '\0'; c++) {
            if (*c == 'R')
                pointer_encoding = (uint8_t) take(&data, 1);
            else if (*c == 'L')
                take(&data, 1);
            else if (*c == 'P')
                take(&data, encoded_size((uint8_t) take(&data, 1)));
            else if (*c != 'S' && *c != 'B')
                return false;
        }
        cie->at += size;
        if (data.bad)
            return false;
    } else if (augmentation[0] != '\0') {
        return false;
    }
    if (encoded_size(pointer_encoding) == 0)
        return false;
    take(instructions, encoded_size(pointer_encoding) * 2);
    if (augmentation[0] == 'z')
        take(instructions, take_unsigned(instructions));
    return !instructions->bad;
}

static bool set_rule(struct row *row, uint64_t number, enum rule_kind kind, int64_t place) {
    if (number >= NSD_DWARF_REGISTERS || place > INT32_MAX || place < INT32_MIN)
        return false;
    row->kind[number] = (uint8_t) kind;
    row->place[number] = (int32_t) place;
    return true;
}

static bool restore_rule(struct row *row, const struct row *initial, uint64_t number) {
    if (number >= NSD_DWARF_REGISTERS)
        return false;
    row->kind[number] = initial == NULL ? RULE_SAME : initial->kind[number];
    row->place[number] = initial == NULL ? 0 : initial->place[number];
    return true;
}

static bool set_cfa(struct row *row, uint64_t number, int64_t offset) {
    if (number >= NSD_DWARF_REGISTERS || offset > INT32_MAX || offset < INT32_MIN)
        return false;
    row->cfa_register = (uint8_t) number;
    row->cfa_offset = (int32_t) offset;
    row->cfa_expression = 0;
    return true;
}

/* Leaves the reader behind the block, which starts with its length. Counted from the module's
 * start. */
static uint32_t take_block(struct bytes *bytes, const struct table *table) {
    uint64_t block = (uint64_t) (bytes->at - table->module_start);

    take(bytes, take_unsigned(bytes));
    if (block > INT32_MAX)
        bytes->bad = true;
    return (uint32_t) block;
}

/* Runs instructions as long as their location is before `limit`, as libunwind does. */
static bool run(struct row *row, const struct row *initial, const struct table *table,
                struct bytes code, uint64_t limit) {
    struct row remembered[REMEMBERED];
    unsigned depth = 0, count = 0, saved = 0;
    size_t room = on_stack__room();
    uint64_t location = 0, number;

    while (code.at < code.end && location < limit && !code.bad) {
        uint8_t byte = (uint8_t) take(&code, 1), low = byte & 0x3f;
        bool good = true;

        if (count++ == INSTRUCTIONS_MOST)
            return false;
        switch (byte & 0xc0) {
        case 0x40: /* DW_CFA_advance_loc */
            location += low * table->code_factor;
            continue;
        case 0x80: /* DW_CFA_offset */
            good = set_rule(row, low, RULE_AT_OFFSET,
                            (int64_t) take_unsigned(&code) * table->data_factor);
            break;
        case 0xc0: /* DW_CFA_restore */
            good = restore_rule(row, initial, low);
            break;
        default:
            switch (byte) {
            case 0x00: /* nop */
                break;
            case 0x02: /* advance_loc1, 2, 4 */
            case 0x03:
            case 0x04:
                location += take(&code, (size_t) 1 << (byte - 2)) * table->code_factor;
                break;
            case 0x05: /* offset_extended */
                number = take_unsigned(&code);
                good = set_rule(row, number, RULE_AT_OFFSET,
                                (int64_t) take_unsigned(&code) * table->data_factor);
                break;
            case 0x06: /* restore_extended */
                good = restore_rule(row, initial, take_unsigned(&code));
                break;
            case 0x07: /* undefined */
                good = set_rule(row, take_unsigned(&code), RULE_UNDEFINED, 0);
                break;
            case 0x08: /* same_value */
                good = set_rule(row, take_unsigned(&code), RULE_SAME, 0);
                break;
            case 0x09: /* register */
                number = take_unsigned(&code);
                good = set_rule(row, number, RULE_VALUE, 0) &&
                       take_unsigned(&code) < NSD_DWARF_REGISTERS;
                break;
            case 0x0a: /* remember_state */
                if (depth == REMEMBERED || ++saved * SAVED_STATE_SIZE + STEP_SIZE > room)
                    return false;
                remembered[depth++] = *row;
                break;
            case 0x0b: /* restore_state */
                if (depth == 0)
                    return false;
                *row = remembered[--depth];
                break;
            case 0x0c: /* def_cfa */
                number = take_unsigned(&code);
                good = set_cfa(row, number, (int64_t) take_unsigned(&code));
                break;
            case 0x0d: /* def_cfa_register */
                good = set_cfa(row, take_unsigned(&code), row->cfa_offset);
                break;
            case 0x0e: /* def_cfa_offset */
                good = set_cfa(row, row->cfa_register, (int64_t) take_unsigned(&code));
                break;
            case 0x0f: /* def_cfa_expression */
                row->cfa_expression = take_block(&code, table);
                break;
            case 0x10: /* expression */
                number = take_unsigned(&code);
                good = set_rule(row, number, RULE_AT_EXPRESSION, take_block(&code, table));
                break;
            case 0x11: /* offset_extended_sf */
                number = take_unsigned(&code);
                good =
                    set_rule(row, number, RULE_AT_OFFSET, take_signed(&code) * table->data_factor);
                break;
            case 0x12: /* def_cfa_sf */
                number = take_unsigned(&code);
                good = set_cfa(row, number, take_signed(&code) * table->data_factor);
                break;
            case 0x13: /* def_cfa_offset_sf */
                good = set_cfa(row, row->cfa_register, take_signed(&code) * table->data_factor);
                break;
            case 0x2e: /* GNU_args_size */
                take_unsigned(&code);
                break;
            default: /* compilers do not emit it */
                return false;
            }
        }
        if (!good)
            return false;
    }
    return !code.bad;
}

static bool on_stack(const struct checker *checker, uint64_t address) {
    const struct nsd_extent *extent = checker->extent;

    return address >= extent->low && address < extent->high && extent->high - address >= 8;
}

static bool register_value(const struct checker *checker, uint64_t number, uint64_t *value) {
    unw_word_t word;

    if (number >= NSD_DWARF_REGISTERS ||
        unw_get_reg(checker->cursor, (unw_regnum_t) number, &word) != 0)
        return false;
    *value = word;
    return true;
}

/* The few operations that compilers use to say where a frame is: realigned stacks, and the PLT. */
static bool evaluate(const struct checker *checker, uint32_t expression, const uint64_t *first,
                     uint64_t *result) {
    struct bytes code = {checker->module_start + expression, checker->module_end, false};
    uint64_t values[VALUES_MOST + 1] = {0}, size = take_unsigned(&code);
    unsigned depth = 0;

    if (code.bad || size > (uint64_t) (code.end - code.at))
        return false;
    code.end = code.at + size;
    if (first != NULL)
        values[depth++] = *first;
    for (unsigned count = 0; code.at < code.end; count++) {
        uint8_t operation = (uint8_t) take(&code, 1);
        uint64_t *top = &values[depth == 0 ? 0 : depth - 1], *below = depth < 2 ? top : top - 1;
        unsigned needs = 0;

        if (count == OPERATIONS_MOST || depth >= VALUES_MOST)
            return false;
        if (operation >= 0x70 && operation <= 0x8f) { /* DW_OP_breg0 to 31 */
            if (!register_value(checker, operation - 0x70u, &values[depth]))
                return false;
            values[depth++] += (uint64_t) take_signed(&code);
        } else if (operation >= 0x30 && operation <= 0x4f) { /* lit0 to 31 */
            values[depth++] = operation - 0x30u;
        } else {
            switch (operation) {
            case 0x06: /* deref */
                if (depth < 1 || !on_stack(checker, *top))
                    return false;
                *top = *(const uint64_t *) *top;
                break;
            case 0x08: /* const1u */
                values[depth++] = take(&code, 1);
                break;
            case 0x09: /* const1s */
                values[depth++] = (uint64_t) (int64_t) (int8_t) take(&code, 1);
                break;
            case 0x23: /* plus_uconst */
                needs = 1;
                *top += take_unsigned(&code);
                break;
            case 0x1a: /* and */
                needs = 2;
                *below &= *top;
                break;
            case 0x1c: /* minus */
                needs = 2;
                *below -= *top;
                break;
            case 0x22: /* plus */
                needs = 2;
                *below += *top;
                break;
            case 0x24: /* shl */
                needs = 2;
                *below = *top < 64 ? *below << *top : 0;
                break;
            case 0x2a: /* ge */
                needs = 2;
                *below = (int64_t) *below >= (int64_t) *top;
                break;
            default:
                return false;
            }
            if (depth < needs)
                return false;
            if (needs == 2)
                depth--;
        }
    }
    *result = depth == 0 ? 0 : values[depth - 1];
    return depth != 0 && !code.bad;
}

static bool places_are_on_stack(const struct checker *checker, const struct row *row) {
    for (unsigned i = 0; i < NSD_DWARF_REGISTERS; i++) {
        uint64_t cfa = checker->cfa, address;

        switch (row->kind[i]) {
        case RULE_AT_OFFSET:
            if (!on_stack(checker, cfa + (uint64_t) (int64_t) row->place[i]))
                return false;
            break;
        case RULE_AT_EXPRESSION:
            if (!evaluate(checker, (uint32_t) row->place[i], &cfa, &address) ||
                !on_stack(checker, address))
                return false;
            break;
        default:
            break;
        }
    }
    return true;
}

static void describe(const struct row *row, struct nsd_step *step) {
    uint8_t frame_pointer = row->kind[NSD_DWARF_FRAME_POINTER];

    step->is_simple = row->cfa_expression == 0 &&
                      (row->cfa_register == NSD_DWARF_STACK_POINTER ||
                       row->cfa_register == NSD_DWARF_FRAME_POINTER) &&
                      (frame_pointer == RULE_SAME || frame_pointer == RULE_AT_OFFSET) &&
                      row->place[NSD_DWARF_RETURN_ADDRESS] == -(int32_t) sizeof(uintptr_t) &&
                      (row->kind[NSD_DWARF_STACK_POINTER] == RULE_SAME);
    step->from_frame_pointer = row->cfa_register == NSD_DWARF_FRAME_POINTER;
    step->saves_frame_pointer = frame_pointer == RULE_AT_OFFSET;
    step->cfa_offset = row->cfa_offset;
    step->frame_pointer_place = row->place[NSD_DWARF_FRAME_POINTER];
}

bool step_check__allows(unw_cursor_t *cursor, const unw_proc_info_t *procedure,
                        const struct nsd_module *module, const struct nsd_extent *extent,
                        struct nsd_step *step) {
    struct checker checker = {cursor, extent, (const uint8_t *) module->start,
                              (const uint8_t *) module->end, 0};
    struct table table;
    struct row initial, row;
    uint64_t value;
    unw_word_t pc;

    memory__fill(&initial, 0, sizeof(initial));
    if (!open_table(module, procedure->unwind_info, &table) ||
        unw_get_reg(cursor, UNW_REG_IP, &pc) != 0 || pc < procedure->start_ip ||
        !run(&initial, NULL, &table, table.initial, UINT64_MAX))
        return false;
    row = initial;
    if (!run(&row, &initial, &table, table.instructions, pc - procedure->start_ip))
        return false;
    if (row.cfa_expression != 0) {
        if (!evaluate(&checker, row.cfa_expression, NULL, &value))
            return false;
    } else {
        if (!register_value(&checker, row.cfa_register, &value))
            return false;
        value += (uint64_t) (int64_t) row.cfa_offset;
    }
    checker.cfa = value;
    step->cfa = value;
    step->return_place = value + (uint64_t) (int64_t) row.place[NSD_DWARF_RETURN_ADDRESS];
    describe(&row, step);
    return row.kind[NSD_DWARF_RETURN_ADDRESS] == RULE_AT_OFFSET &&
           places_are_on_stack(&checker, &row);
}
