/*
 * Opens a pclntab of any form (Go: internal/abi/symtab.go, cmd/link/internal/ld/pcln.go of 1.16 to
 * 1.26), and keeps the tables of this process for naming. Called at start, by the report and by
 * hooks that name a frame. The bytes may come from any file, so that every offset is checked.
 */
#include "names/pclntab.h"
#include "base/memory.h"
#include "names/pclntab_form.h"
#include <stdatomic.h>

static const struct nsd_pclntab_form forms[] = {
    /* 1.16, 1.17 */
    {0xfffffffa, 7, 0, 2, 8, 8, 24, 28, 32, 36, 43, 44, 8, 20, 12, 16},
    /* 1.18, 1.19 */
    {0xfffffff0, 8, 2, 3, 4, 4, 20, 24, 28, 32, 39, 40, 4, 20, 12, 16},
    /* 1.20 and later */
    {0xfffffff1, 8, 2, 3, 4, 4, 20, 24, 28, 32, 43, 44, 4, 16, 4, 8},
};

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
        if (forms[i].magic == pclntab__load32(start))
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
        word[i] = pclntab__load64(start + 8 + 8 * i);
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

bool pclntab_row__of(const struct nsd_pclntab *table, uint64_t pc, uint64_t *row) {
    uint64_t low = 0, high = table->functions;

    if (pc < pclntab_row__entry(table, 0) || pc >= pclntab_row__entry(table, table->functions))
        return false;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (pclntab_row__entry(table, middle) <= pc)
            low = middle;
        else
            high = middle;
    }
    *row = low;
    return true;
}

void pclntab__range(const struct nsd_pclntab *table, uint64_t *start, uint64_t *end) {
    *start = pclntab_row__entry(table, 0);
    *end = pclntab_row__entry(table, table->functions);
}

uint64_t pclntab__end_of(const struct nsd_pclntab *table, uint64_t entry) {
    uint64_t row;

    if (!pclntab_row__of(table, entry, &row) || pclntab_row__entry(table, row) != entry)
        return 0;
    return pclntab_row__entry(table, row + 1);
}

/* ---- the tables of this process ---- */

#define TABLES_MOST 16

static struct {
    struct nsd_pclntab table;
    uint64_t start, end;
} registered[TABLES_MOST];
static _Atomic unsigned registered_count;

/* Called at start and when a module is loaded, by one thread at a time. Readers see a whole entry
 * or none. */
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
