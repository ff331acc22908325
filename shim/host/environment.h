/*
 * The environment across exec: what the next image must have in it (follow=1) or must not
 * (follow=0, or the library cannot be reached from the caller's root). Called before every exec,
 * also in vfork children and on hook stacks: memory comes from one mmap that environment__release
 * gives back.
 */
#ifndef NSD_HOST_ENVIRONMENT_H
#define NSD_HOST_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_environment {
    char **list;   /* what to exec with: the host's own array where nothing must change */
    void *mapping; /* NULL where nothing was mapped */
    size_t size;
};

/*
 * The library's path and the options ("NSDRIFT_OPTIONS=...", NULL) as this image was started with
 * them.
 */
void environment__begin(const char *options);
/* The entry of a list that has our options, NULL. */
const char *environment__options_entry(char **list);
/*
 * `vfork_key` is the key of caller__mark_vfork where a vfork child asks, else 0: the child's exec
 * leaves the mapping behind in the parent's memory, and caller__clear_vfork takes it away.
 */
void environment__for_exec(char *const *given, uintptr_t vfork_key, struct nsd_environment *out);
/* Takes away what vfork children with this key have left. Called by caller__clear_vfork. */
void environment__reclaim(uintptr_t vfork_key);
/* From now on the preload goes no further. */
void environment__end_following(void);
/* A seccomp filter is about to stand, under which the next question cannot be asked any more. */
void environment__before_filter(void);
/* The library's path still leads to the same file in the caller's root. */
bool environment__reaches_library(void);
void environment__release(struct nsd_environment *environment);
/* Value of a variable in a list of NAME=VALUE, NULL if it is not set. */
const char *environment__of(char **list, const char *name);

#endif
