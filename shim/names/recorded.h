/*
 * Names that were found when a recording was made, by program counter: where the process is gone,
 * naming__place answers from these alone. Filled by record/replay.c; empty in a host.
 */
#ifndef NSD_NAMES_RECORDED_H
#define NSD_NAMES_RECORDED_H

#include "names/modules.h"
#include <stdbool.h>
#include <stdint.h>

struct nsd_recorded_place {
    uint64_t pc; /* a return address; 0: this row is free */
    uint64_t offset;
    const char *function, *file; /* NULL: unknown */
    const struct nsd_module *module;
    uint32_t line;
    bool is_go;
};

/* A hash table with open addressing; rows is a power of two, at least twice as many as places. */
struct nsd_recorded_names {
    struct nsd_recorded_place *row;
    uint64_t rows;
};

bool recorded_names__add(struct nsd_recorded_names *names, const struct nsd_recorded_place *place);
const struct nsd_recorded_place *recorded_names__find(const struct nsd_recorded_names *names,
                                                      uint64_t pc);

/* From now on naming__place answers from these names alone; NULL: from the process again. */
void naming__use_recorded(const struct nsd_recorded_names *names);
/* Whether naming__place answers from recorded names, which cost one look-up each. */
bool naming__uses_recorded(void);

#endif
