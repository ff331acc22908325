/*
 * Options of the library as a subcommand is given them: those of NSDRIFT_OPTIONS, and each -o after
 * them; what comes last counts. Called by the subcommands that start something.
 */
#ifndef NSD_CLI_WATCH_GIVEN_H
#define NSD_CLI_WATCH_GIVEN_H

#include <stdbool.h>

/* Those of the environment. Owned; false without memory. */
bool given__begin(char **options);
/* name=value:... of an -o. 0, or the exit status after a line on what is wrong with it. */
int given__add(char **options, const char *more);
/* Puts all of them in force (base/options.h), with a line for what is wrong in the environment. */
void given__parse(const char *options);

#endif
