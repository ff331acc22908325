/*
 * Orders of events: what a run did in which order on which threads, as signs by which two runs can
 * be compared. Called by `nsdrift repeat` for each run.
 */
#ifndef NSD_CLI_REPEAT_ORDERS_H
#define NSD_CLI_REPEAT_ORDERS_H

#include "cli/read/collect.h"
#include "cli/repeat/tally.h"

/* Enters every sign of the run's images into the tally. */
void orders__read(const struct nsd_collection *collection, struct nsd_tally *tally);

#endif
