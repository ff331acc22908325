/*
 * What a clone is about to make, for entrances whose own frame must not be in the child's way.
 */
#ifndef NSD_CALLS_PROCESSES_H
#define NSD_CALLS_PROCESSES_H

#include "calls/calls.h"

#include "calls_machine.h"

/* How the child of a fork, vfork, clone or clone3 comes back from the call. */
enum nsd_child {
    NSD_CHILD_COPIED, /* in a copy of this memory, on the caller's stack: a C frame is there for it
                       */
    NSD_CHILD_SHARES, /* vfork-like, on the caller's stack: nothing may be left there for the parent
                       */
    NSD_CHILD_APART,  /* vfork-like, on a stack of its own: it never comes to a frame of ours */
    NSD_CHILD_UNKNOWN, /* anything else: nothing may be put in between */
};
/* Asked before any of these calls; notes, too, that thread pointers cannot be relied on any more.
 */
enum nsd_child processes__child_of(enum nsd_row row, const uint64_t argument[6]);

/* After calls__before: the caller is marked, so that the child can be told from it. */
static inline bool processes__is_marked(const struct nsd_ongoing *ongoing) {
    return ongoing->is_prepared && ongoing->kept.child.key != 0;
}

#endif
