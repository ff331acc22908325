/*
 * Recordings read back. Paths come in: recordings, folders of them, indices of runs. Each image in
 * them is replayed, and its views are added to a collection (collect.h). Called by `nsdrift report`
 * and by folder.c; what cannot be read is said on stderr and remembered in `unreadable`.
 */
#ifndef NSD_CLI_READ_RECORDINGS_H
#define NSD_CLI_READ_RECORDINGS_H

#include "cli/read/replayed.h"

/*
 * A recording or the index of a run, or a folder with all of them in it. Of an index, what has no
 * recording beside it.
 */
/* False: with may_be_alive, its maker has just taken it away. */
bool recordings__read(struct nsd_recordings *recordings, const char *path);
/* An image of which only the facts are known: its closing line. */
void recordings__add_facts(struct nsd_recordings *recordings, const struct nsd_record_facts *facts);
void recordings__end(struct nsd_recordings *recordings);

#endif
