/*
 * The recorded names by program counter: see recorded.h. Rows belong to the caller; nothing is
 * allocated here.
 */
#include "names/recorded.h"
#include <stddef.h>

static uint64_t first_row(const struct nsd_recorded_names *names, uint64_t pc) {
    return ((pc * 0x9e3779b97f4a7c15ull) >> 20) & (names->rows - 1);
}

bool recorded_names__add(struct nsd_recorded_names *names, const struct nsd_recorded_place *place) {
    uint64_t row;

    if (names->rows == 0 || place->pc == 0)
        return false;
    row = first_row(names, place->pc);
    for (uint64_t tries = 0; tries < names->rows; tries++, row = (row + 1) & (names->rows - 1)) {
        /* Should a file name a pc twice, the first name counts. */
        if (names->row[row].pc == place->pc)
            return true;
        if (names->row[row].pc == 0) {
            names->row[row] = *place;
            return true;
        }
    }
    return false;
}

const struct nsd_recorded_place *recorded_names__find(const struct nsd_recorded_names *names,
                                                      uint64_t pc) {
    uint64_t row;

    if (names->rows == 0 || pc == 0)
        return NULL;
    row = first_row(names, pc);
    for (uint64_t tries = 0; tries < names->rows && names->row[row].pc != 0;
         tries++, row = (row + 1) & (names->rows - 1)) {
        if (names->row[row].pc == pc)
            return &names->row[row];
    }
    return NULL;
}
