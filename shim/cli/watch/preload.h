/*
 * The environment that puts the library into a program: LD_PRELOAD, NSDRIFT, NSDRIFT_OPTIONS.
 * Called by the subcommands that start something.
 */
#ifndef NSD_CLI_WATCH_PRELOAD_H
#define NSD_CLI_WATCH_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The library's absolute path: by NSDRIFT_LIBRARY, else beside this command, else in the library
 * folder of its install prefix. False, after a line on stderr, if there is none that can be used.
 */
bool preload__find_library(char *path, size_t size);
/*
 * A copy of this process' environment with the library switched on; its own preloads come after
 * ours, AddressSanitizer's runtime before. `program_needs_asan`: that runtime is loaded after us
 * and must be told not to mind. NULL without memory.
 */
char **preload__environment(const char *library, const char *options, bool program_needs_asan);
/*
 * For a program that the library is put into: this process' environment without the variables that
 * are ours alone, which tell another story to the program's children. NULL without memory.
 */
char **preload__environment_without(void);
void preload__free(char **environment);

#endif
