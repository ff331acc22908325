/*
 * Views that outlive the replay that made them. A replay composes each view into memory that it
 * uses again for the next; this file copies everything that a view points to. Called by collect.c;
 * the copies are freed with the collection.
 */
#ifndef NSD_CLI_READ_KEPT_VIEWS_H
#define NSD_CLI_READ_KEPT_VIEWS_H

#include "report/view.h"
#include <stdbool.h>
#include <stddef.h>

struct nsd_kept_chunk;
struct nsd_kept_string;

/* Memory of the copies; all zero at first. Equal strings are kept once. */
struct nsd_kept_views {
    struct nsd_kept_chunk *chunks;
    char *at;
    size_t left; /* bytes from `at` to the end of the newest chunk */
    struct nsd_kept_string **bucket;
    size_t buckets, strings;
};

/*
 * A copy in which control characters and bytes that are no UTF-8 are replaced by U+FFFD: a
 * recording may come from anywhere, and its names are printed on a terminal. NULL for NULL and
 * without memory.
 */
const char *kept__string(struct nsd_kept_views *kept, const char *string);

/*
 * Each makes every pointer of the view point into `kept`. False without memory: then the view is
 * not to be used.
 */
bool kept__finding(struct nsd_kept_views *kept, struct nsd_view_finding *view);
bool kept__event(struct nsd_kept_views *kept, struct nsd_view_event *view);
bool kept__thread(struct nsd_kept_views *kept, struct nsd_view_thread *view);
bool kept__coverage(struct nsd_kept_views *kept, struct nsd_view_coverage *view);

void kept__free(struct nsd_kept_views *kept);

#endif
