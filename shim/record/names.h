/*
 * The hash of the names whose ordinals a recording stores: calls, kinds, rules, states of locks and
 * all other enumerations. It stands in the header of each recording and index, so that a file from
 * a build that numbers them otherwise is refused and never misread. Called by the writer's files,
 * the reader and the command. Pure; no libc.
 */
#ifndef NSD_RECORD_NAMES_H
#define NSD_RECORD_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Of this build. */
uint64_t record_names__hash(void);
/* The same of any list: names one after the other, each with its NUL. */
uint64_t record_names__hash_of(const char *names, size_t size);

#endif
