/*
 * The facts about this image that go into its recording, and the beginning of that. Called at
 * start, by submit.c under the ledger's lock, and by the writer when the part of a fork copy
 * begins.
 */
#ifndef NSD_HOST_FACTS_H
#define NSD_HOST_FACTS_H

#include "record/format.h"

void facts__fill(struct nsd_record_facts *facts);
/*
 * Begins the recording that the options record and record_size ask for; complains if there cannot
 * be one. `findings` are those of this image, also in a fork copy of it.
 */
struct nsd_findings;
void facts__begin_recording(const struct nsd_findings *findings);
/* Stores the facts as they are now, if there is a recording. */
void facts__to_recording(void);
/* The same, after an exec that failed. */
void facts__exec_came_back(void);

#endif
