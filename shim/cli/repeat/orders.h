/*
 * Orders of events: what one run did in which order on which threads, put so that two runs can be
 * compared. Called by `nsdrift repeat` for each run.
 */
#ifndef NSD_CLI_REPEAT_ORDERS_H
#define NSD_CLI_REPEAT_ORDERS_H

#include "cli/read/collect.h"
#include "cli/repeat/tally.h"

/* Tells the tally of everything that the images of one run show. */
void orders__read(const struct nsd_collection *collection, struct nsd_tally *tally);

#endif
