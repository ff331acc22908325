/*
 * What the watched processes had to say, as JSON lines sorted by process image, and the private
 * folder where they record it (folder.h makes and reads it). Called by the subcommands that print.
 */
#ifndef NSD_CLI_READ_COLLECT_H
#define NSD_CLI_READ_COLLECT_H

#include "cli/read/lines.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One process image: what it said from its start to its closing line. A process that execs has
 * several, in order.
 */
struct nsd_report_image {
    int32_t pid;
    uint64_t pid_ns;
    struct nsd_line *line; /* in order; owned */
    size_t count, room;
    size_t order;   /* in which it was read */
    int closing;    /* index of the last coverage line, -1 if there is none */
    bool ended;     /* that line closes the image for good */
    bool came_back; /* its last exec failed */
};

struct nsd_collection {
    char folder[PATH_MAX];
    unsigned unseen;                /* images that found no room to record */
    unsigned silent;                /* images that had nothing to say and made room for others */
    bool index_lost;                /* the run's list of images cannot be read */
    struct nsd_report_image *image; /* by the time of their end; owned */
    size_t count, room;
};

/* Makes the folder, readable for us alone. False, after a line on stderr, if that cannot be done.
 */
bool collect__begin(struct nsd_collection *collection);
/*
 * Adds one line to the image of its process that has not ended yet, or to a new one; takes the
 * line. For collections that come from elsewhere: these are all zero at first and have no folder.
 */
void collect__add(struct nsd_collection *collection, struct nsd_line *line);
/* By the time of the images' ends, once all lines are there. */
void collect__sort(struct nsd_collection *collection);
/* Removes the folder, if there is one, and frees what was read. */
void collect__end(struct nsd_collection *collection);

#endif
