/*
 * The environment of the next image: with our three variables (follow=1), or without them
 * (follow=0, or the next image cannot load the library). Called before every exec, also in vfork
 * children and on hook stacks. Memory comes from one mmap that environment__release gives back.
 */
#ifndef NSD_HOST_ENVIRONMENT_H
#define NSD_HOST_ENVIRONMENT_H

#include "host/program_file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The image that an exec will make. */
struct nsd_next_image {
    struct nsd_program_look program;
    const char *refusal; /* why it cannot load the library, a static string; NULL: it can */
};

struct nsd_environment {
    char **list;   /* to exec with; `given` where nothing has to change */
    char **given;  /* the host's own */
    void *mapping; /* holds the list; NULL where nothing was mapped */
    size_t size;
    struct nsd_next_image next;
};

/* At start: `options` is the entry "NSDRIFT_OPTIONS=..." of this image, NULL without one. */
void environment__begin(const char *options);
/* The entry NSDRIFT_OPTIONS=... of a list; NULL. */
const char *environment__options_entry(char **list);
/*
 * Looks at the program that an exec is about to start (`folder` and `path` as execveat takes them,
 * a NULL path is not known), and at the library as that program will see it. A refusal goes into
 * the coverage.
 */
void environment__look(int folder, const char *path, struct nsd_next_image *next);
/*
 * The list for an exec whose own list is `given`, for that next image. `vfork_key` is the key of
 * caller__mark_vfork where the caller is a vfork child, else 0: the child's exec leaves the mapping
 * behind in its parent's memory, and caller__clear_vfork removes it. Never fails: without memory,
 * and where the kernel would answer EFAULT, the list is `given`.
 */
void environment__for_exec(char *const *given, uintptr_t vfork_key,
                           const struct nsd_next_image *next, struct nsd_environment *out);
/*
 * An exec failed with E2BIG, and its list was not the host's own: the host's own may have room, and
 * an image that is not watched is better than none. Says so in the coverage.
 */
bool environment__was_too_long(int64_t result, char *const *given, char *const *changed);
/* Unmaps the lists that vfork children with this key left. Called by caller__clear_vfork. */
void environment__reclaim(uintptr_t vfork_key);
/* From now on no next image gets the preload. */
void environment__end_following(void);
/* Before a seccomp filter: asks the next question once more, while it may be asked. */
void environment__before_filter(void);
void environment__release(struct nsd_environment *environment);
/* Value of a variable in a list of NAME=VALUE, NULL if it is not set. */
const char *environment__of(char **list, const char *name);

#endif
