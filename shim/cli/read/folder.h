/*
 * The private folder of a run: every image enters its index at the start and records into it; when
 * the run is over all of it is read back. Called by the subcommands that start programs.
 */
#ifndef NSD_CLI_READ_FOLDER_H
#define NSD_CLI_READ_FOLDER_H

#include "cli/read/collect.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Makes the folder with its index, readable for us alone; the collection is all zero but for its
 * name. False, after a line on stderr, if that cannot be done.
 */
bool folder__begin(struct nsd_collection *collection);
/* Makes recordings without a finding stay as well, for a caller that looks at events or threads. */
void folder__keep_all(const struct nsd_collection *collection);
/*
 * The options that the run's images get in NSDRIFT_OPTIONS: record into the folder, print nothing,
 * and the user's options about watching. The caller frees the string; NULL without memory.
 */
char *folder__options(const struct nsd_collection *collection);
/*
 * Replays what was recorded and adds it to the collection, images by the time of their ends.
 * `started`: pid of the process that the run started, which tells the program's images from those
 * of its children. 0 if the program is a child of that process: then the first image of the index
 * is the program's.
 */
void folder__read(struct nsd_collection *collection, pid_t started, unsigned verbosity);
/*
 * Before the program starts: false, after a line on stderr, if nothing can be copied into that
 * folder (record=).
 */
bool folder__can_move_to(const char *where);
/*
 * After folder__read: copies the recordings to another folder (record=). A line on stderr if that
 * fails.
 */
void folder__move_to(const struct nsd_collection *collection, const char *where);
/* Removes the folder, and frees what was read. */
void folder__end(struct nsd_collection *collection);

#endif
