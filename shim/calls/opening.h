/*
 * Which descriptors may lead to a namespace, for entrances that are asked to close one after the
 * other: by this they need not hand over each close.
 */
#ifndef NSD_CALLS_OPENING_H
#define NSD_CALLS_OPENING_H

#include <stdbool.h>

/* Where a descriptor that leads to a namespace is known at all. False for a number that is none. */
bool opening__may_lead(int fd);

#endif
