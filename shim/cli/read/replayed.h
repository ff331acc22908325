/*
 * From one image of a recording to the collection: its findings, its closing line, and as far as
 * they are asked for its threads, its events and its timeline. Called by recordings.c and folder.c.
 */
#ifndef NSD_CLI_READ_REPLAYED_H
#define NSD_CLI_READ_REPLAYED_H

#include "cli/read/recordings.h"
#include "record/reader.h"

/* Replays the part and adds an image to the collection. False without memory. */
bool replayed__read(struct nsd_recordings *recordings, const struct nsd_part *part);
/* An image of which only the facts are known: its closing line. False without memory. */
bool replayed__add_facts(struct nsd_recordings *recordings, const struct nsd_record_facts *facts);

#endif
