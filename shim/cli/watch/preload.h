/*
 * The environment by which the loader puts the library into a program: LD_PRELOAD, NSDRIFT,
 * NSDRIFT_OPTIONS. Called by the subcommands that start programs.
 */
#ifndef NSD_CLI_WATCH_PRELOAD_H
#define NSD_CLI_WATCH_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds the library's absolute path: NSDRIFT_LIBRARY, else beside this command, else in the library
 * folder of its install prefix. False, after a line on stderr, if none of them can be used.
 */
bool preload__find_library(char *path, size_t size);
/*
 * A copy of this process' environment with the library switched on. Libraries that were preloaded
 * already come after ours, AddressSanitizer's runtime before. `program_needs_asan`: the program
 * loads that runtime after our library and must be told to accept it. NULL without memory.
 */
char **preload__environment(const char *library, const char *options, bool program_needs_asan);
/*
 * For a program that the library is injected into: a copy of this process' environment without our
 * variables, which would tell the program's children something else. NULL without memory.
 */
char **preload__environment_without(void);
void preload__free(char **environment);

#endif
