/*
 * Definitions of a name in the loaded modules, as the loader would find them. Called where the libc
 * probes need the function that they wrap. Reached from hooks: no libc.
 */
#ifndef NSD_NAMES_DEFINITIONS_H
#define NSD_NAMES_DEFINITIONS_H

/*
 * The next definition of a name after the shim, in the order in which the loader searches: the
 * answer of dlsym(RTLD_NEXT), without its mallocs. NULL if there is none. Skips hidden versions.
 */
void *definitions__next(const char *name);

#endif
