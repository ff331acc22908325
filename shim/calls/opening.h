/*
 * Which descriptors may lead to a namespace. Called by the wrapper of close, which hands over only
 * those: programs close all possible numbers one after the other. One load, safe everywhere.
 */
#ifndef NSD_CALLS_OPENING_H
#define NSD_CALLS_OPENING_H

#include <stdbool.h>

/* True for a descriptor that was seen to lead to a namespace, and where that is not known. */
bool opening__may_lead(int fd);

#endif
