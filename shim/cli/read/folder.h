/*
 * The private folder of a run, into which every image records: its index, which each image enters
 * at its start, and reading it all back when the run is over. Called by the subcommands that start
 * something.
 */
#ifndef NSD_CLI_READ_FOLDER_H
#define NSD_CLI_READ_FOLDER_H

#include "cli/read/collect.h"
#include <stdbool.h>
#include <stddef.h>

/* In the collection's folder, readable for us alone. False, after a line on stderr, if not. */
bool folder__make_index(const struct nsd_collection *collection);
/* Recordings in which nothing was found stay as well: for who looks at the events. */
void folder__keep_all(const struct nsd_collection *collection);
/*
 * What the images are told: to record here and to say nothing themselves, and those of the user's
 * options that are about the watching. Owned; NULL without memory.
 */
char *folder__options(const struct nsd_collection *collection);
/* Replays what was recorded and adds it to the collection, images by the time of their ends. */
void folder__read(struct nsd_collection *collection, unsigned verbosity);
/* After that: the recordings go to another folder (record=). A line on stderr where they cannot. */
void folder__move_to(const struct nsd_collection *collection, const char *where);

#endif
