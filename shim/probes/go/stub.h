/*
 * The machine's half of patching: which bytes of a place in the Go runtime are replaced, and the
 * stub near it that decides whether a call is watched. Implemented in the machine's folder; called
 * by patch.c alone, at start.
 */
#ifndef NSD_PROBES_GO_STUB_H
#define NSD_PROBES_GO_STUB_H

#include "goruntime/runtime.h"
#include "go_machine.h"
#include <stdbool.h>
#include <stddef.h>

/* What stands in the runtime's text, and what is to stand there. */
struct nsd_go_replacement {
    uint64_t address;
    size_t size;
    uint8_t before[NSD_GO_REPLACED_MOST];
    uint8_t after[NSD_GO_REPLACED_MOST];
};

/*
 * Writes the stub of a site to `room` (NSD_GO_STUB_MOST bytes, which stand where it will run) and
 * works out the replacement. False, with *why, where the runtime's bytes are not those that this
 * kind of site must have.
 */
bool stub__write(const struct nsd_go_site *site, uint8_t *room,
                 struct nsd_go_replacement *replacement, const char **why);

#endif
