/*
 * Places the library in a stopped program: maps its segments from its file as a loader would, and
 * applies its relocations. Called by inject.c, which runs the library afterwards.
 */
#ifndef NSD_CLI_INJECT_PLACEMENT_H
#define NSD_CLI_INJECT_PLACEMENT_H

#include "cli/inject/refusal.h"
#include "cli/inject/remote.h"
#include "cli/watch/elf_image.h"

struct nsd_placement {
    const struct nsd_elf_image *shim;
    const char *library; /* its name, for messages */
    struct nsd_remote *remote;
    struct nsd_refusal *refusal;
    uint64_t base;      /* load bias in the program; 0: not mapped */
    uint64_t low, high; /* of the library's addresses as linked, whole pages */
    uint64_t alignment;
    unsigned char *bytes; /* the library's memory from low on, as it will be; owned */
};

/* All of these return false after the refusal was given its reason. */

/* Reads the library's headers; changes nothing in the program. Call placement__end in any case. */
bool placement__begin(struct nsd_placement *placement, const struct nsd_elf_image *shim,
                      const char *library, struct nsd_remote *remote, struct nsd_refusal *refusal);
/* `path` is the address in the program where the library's path stands. */
bool placement__map(struct nsd_placement *placement, uint64_t path);
bool placement__relocate(struct nsd_placement *placement);
/* Where the library's entry stands in the program. */
uint64_t placement__entry(const struct nsd_placement *placement);
/* Unmaps the library from the program. */
void placement__undo(struct nsd_placement *placement);
void placement__end(struct nsd_placement *placement);

#endif
