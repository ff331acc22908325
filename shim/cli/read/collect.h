/*
 * What a set of recordings says, image by image: the findings, threads and events of each process
 * image and its closing line, as views (report/view.h) that the collection owns. Filled by
 * replayed.c; read by the rooms that print or count.
 */
#ifndef NSD_CLI_READ_COLLECT_H
#define NSD_CLI_READ_COLLECT_H

#include "cli/read/kept_views.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A process as it numbers itself. Two pid namespaces may each have a process of one pid. */
struct nsd_process {
    int32_t pid;     /* 0: unknown */
    uint64_t pid_ns; /* inode; 0: unknown */
};

/*
 * One process image: one part of a recording, or one entry of an index. A process that execs has
 * several images.
 */
struct nsd_report_image {
    struct nsd_process process;
    struct nsd_view_coverage coverage; /* the closing line */
    bool ended;                        /* false: it still runs, and is shown as it is now */
    bool away;                         /* a thread was in another namespace at the last event */
    bool unsure;         /* events were overwritten: where the threads were is not known */
    bool looked_in_vain; /* it switched, and its threads could not be read from /proc at its end */
    bool is_tool;        /* a tool of a Go installation: not reported as unwatched */
    size_t order;        /* position in which it was read */
    struct nsd_view_event *event;     /* at verbosity 3; owned */
    struct nsd_view_finding *finding; /* owned */
    struct nsd_view_thread *thread;   /* at verbosity 2; owned */
    size_t events, events_room, findings, findings_room, threads, threads_room;
};

struct nsd_collection {
    char folder[PATH_MAX];          /* the run's (folder.h); empty if recordings are only read */
    struct nsd_process command;     /* the program that the run started; pid 0: not known */
    unsigned unseen;                /* images that found no room to record */
    unsigned silent;                /* images without a finding whose place others took */
    bool index_lost;                /* the run's list of images cannot be read */
    bool cut;                       /* something is missing here because there was no memory */
    struct nsd_report_image *image; /* after collect__sort by the time of their end; owned */
    size_t count, room;
    struct nsd_kept_views kept; /* what the views point to */
};

/*
 * Adds an image, all zero. The pointer is valid until the next one is added. NULL without memory.
 */
struct nsd_report_image *collect__image(struct nsd_collection *collection);
/* Each adds a copy of the view to the image. Without memory `cut` is set. */
void collect__finding(struct nsd_collection *collection, struct nsd_report_image *image,
                      const struct nsd_view_finding *view);
void collect__event(struct nsd_collection *collection, struct nsd_report_image *image,
                    const struct nsd_view_event *view);
void collect__thread(struct nsd_collection *collection, struct nsd_report_image *image,
                     const struct nsd_view_thread *view);
/* Sets the image's closing line. Each image has one. */
void collect__coverage(struct nsd_collection *collection, struct nsd_report_image *image,
                       const struct nsd_view_coverage *view);
/* Sorts the images by the time of their ends, once all are there. */
void collect__sort(struct nsd_collection *collection);
/* Frees everything. The collection is all zero afterwards. */
void collect__free(struct nsd_collection *collection);

/* True for an image of the program that the run started. */
bool collect__is_command(const struct nsd_collection *collection,
                         const struct nsd_report_image *image);
/* True if nothing watched this image: the image that executed it noted that, and why. */
bool image__is_unwatched(const struct nsd_report_image *image);
/* True if it is unwatched because it could not reach the run's folder. */
bool image__is_hidden(const struct nsd_report_image *image);

#endif
