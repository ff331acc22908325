/*
 * Which program libc will find by a name (execvp, posix_spawnp). Only to look at that program
 * beforehand: libc makes its own search. Called by the wrappers, also in vfork children.
 */
#ifndef NSD_PROBES_LIBC_SEARCH_H
#define NSD_PROBES_LIBC_SEARCH_H

/* Longer paths are not found. Small, because the caller's stack may be. */
#define NSD_FOUND_MOST 512u

/* The process's list of variables; NULL if libc has none. */
char **search__own_environment(void);
/*
 * `name` itself if it has a slash, else the first program of that name in the folders of PATH,
 * written to `room`. NULL if none is found, if the name cannot be read, and, for a name without a
 * slash, where sys__is_forbidden().
 */
const char *search__program(const char *name, char room[NSD_FOUND_MOST]);

#endif
