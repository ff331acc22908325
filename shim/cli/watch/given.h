/*
 * Options of the library as the user gave them to a subcommand: those of NSDRIFT_OPTIONS, and after
 * them each -o. The last one counts. Called by the subcommands that start programs.
 */
#ifndef NSD_CLI_WATCH_GIVEN_H
#define NSD_CLI_WATCH_GIVEN_H

#include <stdbool.h>

/* Begins with the options of the environment. The string is owned. False without memory. */
bool given__begin(char **options);
/* Adds the name=value:... of an -o. 0, or the exit status after a line that says what is wrong. */
int given__add(char **options, const char *more);
/*
 * Sets nsd_options (base/options.h) from all of them, with a line for each mistake in the
 * environment.
 */
void given__parse(const char *options);

#endif
