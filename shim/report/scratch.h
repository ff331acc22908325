/*
 * Memory of one report: strings and stacks of one finding at a time, given back all at once. A bump
 * of a pointer within a buffer. In a host the buffer has a fixed size: when it is full the answer
 * is NULL, and the report counts what it leaves out. The command gives a function that brings more
 * memory. Called by compose.c, thread_views.c and report.c under the ledger's lock.
 */
#ifndef NSD_REPORT_SCRATCH_H
#define NSD_REPORT_SCRATCH_H

#include "base/memory.h"
#include <stddef.h>
#include <stdint.h>

struct nsd_scratch {
    char *memory; /* aligned to 16 */
    size_t size, used;
    /* Takes the place of scratch__take once the buffer is full; NULL in a host. */
    void *(*grow)(struct nsd_scratch *scratch, size_t size);
};

/* Not zeroed, aligned to 8; NULL when it is full and cannot grow. */
static inline void *scratch__take(struct nsd_scratch *scratch, size_t size) {
    size_t from = (scratch->used + 7) & ~(size_t) 7;

    if (from > scratch->size || size > scratch->size - from)
        return scratch->grow != NULL ? scratch->grow(scratch, size) : NULL;
    scratch->used = from + size;
    return scratch->memory + from;
}

/* A copy. NULL for NULL, for the empty string (it stands for unknown), and if there is no room. */
static inline const char *scratch__string(struct nsd_scratch *scratch, const char *string) {
    size_t size;
    char *copy;

    if (string == NULL || string[0] == '\0')
        return NULL;
    size = string__length(string) + 1;
    copy = scratch__take(scratch, size);
    if (copy != NULL)
        memory__copy(copy, string, size);
    return copy;
}

#endif
