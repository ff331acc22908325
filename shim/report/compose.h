/*
 * Makes views of findings and events: names for program counters, sentences from templates, inodes
 * for labels. Called by report.c under the ledger's lock, and by the command over a replayed
 * recording. All strings go into the scratch memory that is given, or point to what stays as long
 * as the image.
 */
#ifndef NSD_REPORT_COMPOSE_H
#define NSD_REPORT_COMPOSE_H

#include "names/naming.h"
#include "report/image.h"
#include "report/scratch.h"
#include "report/view.h"
#include "rules/finding.h"

/* Functions that one frame can stand for: its own and what was inlined into it. */
#define NSD_COMPOSE_CALLS 32u

/* The most scratch memory that one stack takes where no debug information is read. */
#define NSD_COMPOSE_STACK                                                                          \
    (NSD_DEPTH_MOST *                                                                              \
     (sizeof(struct nsd_view_frame) + NSD_FUNCTION_MOST + NSD_FILE_MOST + 2 * NSD_BUILD_ID_MOST))
/* Kept free while related stacks are composed: for the finding's words, time and fingerprint. */
#define NSD_COMPOSE_WORDS (32u * 1024u)
/*
 * The least scratch memory for findings. The two stacks that the fingerprint is made from are never
 * cut, so that the fingerprint is the same string wherever it is made. Related stacks and
 * consequences that find no room are counted in the view.
 */
#define NSD_COMPOSE_LEAST (2 * NSD_COMPOSE_STACK + NSD_COMPOSE_WORDS)

struct nsd_compose {
    struct nsd_scratch *scratch;
    const struct nsd_image *image;
    uint64_t now_ticks, now_wall; /* read together when the report begins */
    bool keep_plumbing;           /* verbosity=3 */
    bool recorded;                /* over a recording: /proc does not know its threads */
    /*
     * Looks up a frame without a line in debug information: the functions that it stands for,
     * innermost first, at most NSD_COMPOSE_CALLS, each with function, file and line. Returns their
     * number; 0 if nothing is known. NULL in a host, which reads no debug information.
     */
    unsigned (*source)(const struct nsd_view_frame *frame, struct nsd_view_frame *calls);
};

void compose__image(struct nsd_view_image *view, const struct nsd_image *image);
/* The wall-clock time of these ticks as a string. */
const char *compose__time(const struct nsd_compose *compose, uint64_t ticks);
void compose__stack(const struct nsd_compose *compose, const struct nsd_frames *frames,
                    struct nsd_view_stack *stack);
void compose__finding(const struct nsd_compose *compose, const struct nsd_finding *finding,
                      struct nsd_view_finding *view);
/* Composes no stack, since the line of an event does not show one. */
void compose__event(const struct nsd_compose *compose, const struct nsd_event *event,
                    struct nsd_view_event *view);
/*
 * The state of a lock as JSON has it. *word says which lock it is; NULL if there is no more to say.
 */
enum nsd_view_locked compose__locked(enum nsd_lock_state lock, const char **word);

#endif
