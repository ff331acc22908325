/*
 * The environment across exec: what the next image must have in it (follow=1) or must not (follow=0,
 * or the library cannot be reached from the caller's root). Called before every exec, also in vfork
 * children and on hook stacks: memory comes from one mmap that environment__release gives back.
 */
#ifndef NSD_PROBES_PROCESS_ENVIRONMENT_H
#define NSD_PROBES_PROCESS_ENVIRONMENT_H

#include <stddef.h>

struct nsd_environment {
    char **list;   /* what to exec with: the host's own array where nothing must change */
    void *mapping; /* NULL where nothing was mapped */
    size_t size;
};

/* The library's path, the options and the preload, as this image was started with them. */
void environment__begin(char **host_environment);
void environment__for_exec(char *const *given, struct nsd_environment *out);
void environment__release(struct nsd_environment *environment);
/* Value of a variable in this image's start environment, NULL if it is not set. */
const char *environment__get(const char *name);

#endif
