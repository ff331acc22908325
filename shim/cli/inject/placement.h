/*
 * The library in a stopped program: its segments mapped from its file as a loader would, its
 * relocations applied. Called by inject.c, which runs it afterwards.
 */
#ifndef NSD_CLI_INJECT_PLACEMENT_H
#define NSD_CLI_INJECT_PLACEMENT_H

#include "cli/watch/elf_image.h"
#include "cli/inject/refusal.h"
#include "cli/inject/remote.h"

struct nsd_placement {
    const struct nsd_elf_image *shim;
    const char *library; /* its name, for messages */
    struct nsd_remote *remote;
    struct nsd_refusal *refusal;
    uint64_t base, low, high; /* of its addresses, whole pages */
    uint64_t alignment;
    unsigned char *bytes; /* as they will stand there, from low on; owned */
};

/* All return false after the reason. */

/* Reads its headers; changes nothing in the program. To be ended in any case. */
bool placement__begin(struct nsd_placement *placement, const struct nsd_elf_image *shim,
                      const char *library, struct nsd_remote *remote, struct nsd_refusal *refusal);
/* `path` is the address in the program where the library's path stands. */
bool placement__map(struct nsd_placement *placement, uint64_t path);
bool placement__relocate(struct nsd_placement *placement);
/* Where the library's entry stands in the program. */
uint64_t placement__entry(const struct nsd_placement *placement);
/* The program's memory as it was. */
void placement__undo(struct nsd_placement *placement);
void placement__end(struct nsd_placement *placement);

#endif
