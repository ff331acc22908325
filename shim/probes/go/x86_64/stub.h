/*
 * The machine's half of patching: which bytes of a place in the Go runtime are replaced, and the
 * stub near it that decides whether a call is watched. Called by patch.c alone, at start.
 */
#ifndef NSD_PROBES_GO_X86_64_STUB_H
#define NSD_PROBES_GO_X86_64_STUB_H

#include "goruntime/runtime.h"
#include "probes/go/x86_64/trampoline.h"
#include <stdbool.h>
#include <stddef.h>

/* Bytes that a stub may take with its nsd_go_patch: 16 of that, 37 of the filter, 12 of the rest.
 */
#define NSD_GO_STUB_MOST 80
#define NSD_GO_REPLACED_MOST 16

/* What stands in the runtime's text, and what is to stand there. */
struct nsd_go_replacement {
    uint64_t address;
    size_t size;
    uint8_t before[NSD_GO_REPLACED_MOST];
    uint8_t after[NSD_GO_REPLACED_MOST];
};

/* How far from the text a stub may be. */
#define NSD_GO_STUB_REACH 0x7ff00000u

/*
 * Writes the stub of a site to `room` (NSD_GO_STUB_MOST bytes, which stand where it will run) and
 * works out the replacement. False, with *why, where the runtime's bytes are not those that this
 * kind of site must have.
 */
bool stub__write(const struct nsd_go_site *site, uint8_t *room,
                 struct nsd_go_replacement *replacement, const char **why);

#endif
