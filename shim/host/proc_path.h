/*
 * Paths that lead to a namespace: /proc/.../ns/KIND, and the folders where bind mounts of them are
 * kept by custom. Pure: works on the string alone, makes no call.
 */
#ifndef NSD_HOST_PROC_PATH_H
#define NSD_HOST_PROC_PATH_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>

/* The first bytes alone: whether it is worth while to read the rest. */
bool proc_path__may_lead(const char *path);

struct nsd_proc_path {
    enum nsd_path_owner owner;
    int32_t tid;     /* of the thread or process that the path names; 0 for none */
    nsd_kinds kinds; /* 0 where the path does not say */
};

/* False if the path is none of these; true may still turn out to lead to something else. */
bool proc_path__read(const char *path, struct nsd_proc_path *read);

#endif
