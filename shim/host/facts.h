/*
 * What the recording is told of the image besides its events, and its beginning. Called at start,
 * by submit.c under the ledger's lock, and by the writer when a fork copy's part begins.
 */
#ifndef NSD_HOST_FACTS_H
#define NSD_HOST_FACTS_H

#include "record/format.h"

void facts__fill(struct nsd_record_facts *facts);
/*
 * By the options record and record_size; a complaint where there cannot be one. `findings` are
 * those of this image, also of a copy of it.
 */
struct nsd_findings;
void facts__begin_recording(const struct nsd_findings *findings);
/* As they are now, where there is a recording. */
void facts__to_recording(void);
/* The same, once an exec has come back. */
void facts__exec_came_back(void);

#endif
