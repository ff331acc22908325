/*
 * How the child of a fork, vfork, clone or clone3 returns from the call. Called by the entrances of
 * libc before the call: a child on its parent's stack must find no frame of ours there. Makes no
 * system call but a copy that cannot fault.
 */
#ifndef NSD_CALLS_PROCESSES_H
#define NSD_CALLS_PROCESSES_H

#include "calls/calls.h"

#include "calls_machine.h"

/* How the child of a fork, vfork, clone or clone3 comes back from the call. */
enum nsd_child {
    /* In a copy of our memory, on the caller's stack: it finds the C frame of the wrapper there. */
    NSD_CHILD_COPIED,
    /*
     * Vfork-like, on the caller's stack: it overwrites what lies below the caller's frame, so that
     * the parent must not need anything there afterwards.
     */
    NSD_CHILD_SHARES,
    /* Vfork-like, on a stack of its own: it never returns through a frame of ours. */
    NSD_CHILD_APART,
    /* Anything else: the call must be made as if we were not there. */
    NSD_CHILD_UNKNOWN,
};
/* Asked before any of these calls. Also notes if thread pointers are no longer reliable. */
enum nsd_child processes__child_of(enum nsd_row row, const uint64_t argument[6]);

/* After calls__before: the caller is marked, so that the child can be told from it. */
static inline bool processes__is_marked(const struct nsd_ongoing *ongoing) {
    return ongoing->is_prepared && ongoing->kept.child.key != 0;
}

#endif
