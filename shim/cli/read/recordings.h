/*
 * The read room: recordings back to views. Paths come in: recordings, folders of them, indices of
 * runs. Each image in them is replayed (replayed.c), and its findings, threads, events and closing
 * line are added to a collection (collect.h); timelines (timeline.h) are made if they are asked
 * for.
 * Called by `nsdrift report`, `run` and `repeat`. Files that cannot be read are named on stderr and
 * remembered in `unreadable`. Nothing in a recording is trusted; nothing is printed here but such
 * lines; knows no form of output.
 */
#ifndef NSD_CLI_READ_RECORDINGS_H
#define NSD_CLI_READ_RECORDINGS_H

#include "cli/read/replayed.h"

/*
 * Reads a recording, the index of a run, or a folder of them. False if the maker of the recording
 * has just removed it, which is only possible with may_be_alive.
 */
bool recordings__read(struct nsd_recordings *recordings, const char *path);
/* Adds an image of which only the facts are known: it has a closing line and nothing else. */
void recordings__add_facts(struct nsd_recordings *recordings, const struct nsd_record_facts *facts);
void recordings__end(struct nsd_recordings *recordings);

#endif
