/*
 * The report at the end of an image, for the files of this room that see an end come. Safe in a
 * signal handler, in a fork child and on a Go stack.
 */
#ifndef NSD_CALLS_EXITS_H
#define NSD_CALLS_EXITS_H

#include "ledger/event.h"
#include <stdbool.h>

/*
 * Takes the event in and makes the image's last report. Nothing is reported for a process that only
 * shares our memory: false then, because its end is not the image's. The caller ends the image.
 */
bool exits__report(const struct nsd_event *event);

#endif
