/*
 * The inside of a pclntab, for the three files that read it (pclntab.c, pclntab_find.c,
 * pclntab_lines.c): how each form lays a record out, and the rows of the function table. Every
 * access is checked against the part of the table that it falls into.
 */
#ifndef NSD_NAMES_PCLNTAB_FORM_H
#define NSD_NAMES_PCLNTAB_FORM_H

#include "names/pclntab.h"

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

static inline uint32_t pclntab__load32(const uint8_t *from) {
    uint32_t value;

    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static inline uint64_t pclntab__load64(const uint8_t *from) {
    uint64_t value;

    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static inline bool pclntab_part__holds(const struct nsd_pclntab_part *part, uint64_t offset,
                                       uint64_t size) {
    return offset <= part->size && size <= part->size - offset;
}

/* Row `index` of the function table; index == functions gives the end of the last one. */
static inline uint64_t pclntab_row__entry(const struct nsd_pclntab *table, uint64_t index) {
    const uint8_t *at = table->records.start + 2 * index * table->form->entry_size;

    return table->form->entry_size == 8 ? pclntab__load64(at) : table->text + pclntab__load32(at);
}

/* The record of row `index`, NULL where it does not lie within the table. */
static inline const uint8_t *pclntab_row__record(const struct nsd_pclntab *table, uint64_t index) {
    const struct nsd_pclntab_form *form = table->form;
    const uint8_t *at = table->records.start + (2 * index + 1) * form->entry_size;
    uint64_t offset = form->entry_size == 8 ? pclntab__load64(at) : pclntab__load32(at);

    return pclntab_part__holds(&table->records, offset, form->tail) ? table->records.start + offset
                                                                    : NULL;
}

static inline uint32_t pclntab_row__name(const struct nsd_pclntab *table, uint64_t index) {
    const uint8_t *record = pclntab_row__record(table, index);

    return record ? pclntab__load32(record + table->form->name) : UINT32_MAX;
}

/* The row whose function holds pc: the last one that begins at or before it. */
bool pclntab_row__of(const struct nsd_pclntab *table, uint64_t pc, uint64_t *row);

#endif
