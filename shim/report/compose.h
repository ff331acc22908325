/*
 * From what the rules and the ledger keep to what a report says: names for program counters, words
 * for templates, inodes for labels. Called by report.c under the ledger's lock; all strings go
 * into the scratch memory that is given, or point at what stays for the image's life.
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

/* What a stack takes of the scratch memory at most, where no debug information is read. */
#define NSD_COMPOSE_STACK                                                                          \
    (NSD_DEPTH_MOST *                                                                              \
     (sizeof(struct nsd_view_frame) + NSD_FUNCTION_MOST + NSD_FILE_MOST + 2 * NSD_BUILD_ID_MOST))
/* Kept free while stacks are composed: for the words of the finding, its time, its fingerprint. */
#define NSD_COMPOSE_WORDS (32u * 1024u)
/*
 * The least scratch memory for findings: the two stacks that the fingerprint is made of are never
 * cut, so that it is the same string wherever it is made. Related stacks and consequences that find
 * no more room are counted in the view.
 */
#define NSD_COMPOSE_LEAST (2 * NSD_COMPOSE_STACK + NSD_COMPOSE_WORDS)

struct nsd_compose {
    struct nsd_scratch *scratch;
    const struct nsd_image *image;
    uint64_t now_ticks, now_wall; /* read together when the report begins */
    bool keep_plumbing;           /* verbosity=3 */
    bool recorded;                /* over a recording: /proc knows nothing of its threads */
    /*
     * Where lines can be looked up in debug information, that is in the command: what a frame
     * without a line stands for, innermost first, at most NSD_COMPOSE_CALLS with function, file
     * and line each. 0: nothing is known. NULL in a host.
     */
    unsigned (*source)(const struct nsd_view_frame *frame, struct nsd_view_frame *calls);
};

void compose__image(struct nsd_view_image *view, const struct nsd_image *image);
/* Wall-clock time of these ticks as a string. */
const char *compose__time(const struct nsd_compose *compose, uint64_t ticks);
void compose__stack(const struct nsd_compose *compose, const struct nsd_frames *frames,
                    struct nsd_view_stack *stack);
void compose__finding(const struct nsd_compose *compose, const struct nsd_finding *finding,
                      struct nsd_view_finding *view);
/* Takes no stack, which an event's line does not show. */
void compose__event(const struct nsd_compose *compose, const struct nsd_event *event,
                    struct nsd_view_event *view);
/* Lock states as JSON has them: the answer, and in *word which lock it is (NULL: no more to say).
 */
enum nsd_view_locked compose__locked(enum nsd_lock_state lock, const char **word);

#endif
