/*
 * The environment of the next image: with our three variables (follow=1), or without them
 * (follow=0, or the library cannot be reached from the caller's root). Called before every exec,
 * also in vfork children and on hook stacks. Memory comes from one mmap that environment__release
 * gives back.
 */
#ifndef NSD_HOST_ENVIRONMENT_H
#define NSD_HOST_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_environment {
    char **list;   /* to exec with; the host's own array where nothing has to change */
    void *mapping; /* holds the list; NULL where nothing was mapped */
    size_t size;
};

/* At start: `options` is the entry "NSDRIFT_OPTIONS=..." of this image, NULL without one. */
void environment__begin(const char *options);
/* The entry NSDRIFT_OPTIONS=... of a list; NULL. */
const char *environment__options_entry(char **list);
/*
 * The list for an exec whose own list is `given`. `vfork_key` is the key of caller__mark_vfork
 * where the caller is a vfork child, else 0: the child's exec leaves the mapping behind in its
 * parent's memory, and caller__clear_vfork removes it. Never fails: without memory the list is
 * `given`.
 */
void environment__for_exec(char *const *given, uintptr_t vfork_key, struct nsd_environment *out);
/* Unmaps the lists that vfork children with this key left. Called by caller__clear_vfork. */
void environment__reclaim(uintptr_t vfork_key);
/* From now on no next image gets the preload. */
void environment__end_following(void);
/* Before a seccomp filter: asks the next question once more, while it may be asked. */
void environment__before_filter(void);
/* The library's path still leads to the same file in the caller's root. */
bool environment__reaches_library(void);
void environment__release(struct nsd_environment *environment);
/* Value of a variable in a list of NAME=VALUE, NULL if it is not set. */
const char *environment__of(char **list, const char *name);

#endif
