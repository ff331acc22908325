/*
 * The name of a thread, as ps and top show it. Called by the report's table of threads and by the
 * look at /proc. Raw system calls; opens and closes a descriptor.
 */
#ifndef NSD_NAMES_THREAD_NAME_H
#define NSD_NAMES_THREAD_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define NSD_THREAD_NAME_MOST 64u

/* Of a thread of this process; false if it is gone or /proc cannot be read. */
bool thread_name__read(int32_t tid, char name[NSD_THREAD_NAME_MOST]);

#endif
