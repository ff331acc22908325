/*
 * Paths that lead to a namespace: /proc/.../ns/KIND, and the folders where programs usually keep
 * bind mounts of namespaces. Works on the string alone: no system call, safe everywhere.
 */
#ifndef NSD_HOST_PROC_PATH_H
#define NSD_HOST_PROC_PATH_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>

/* Looks at the first bytes only. False: the path leads to no namespace. */
bool proc_path__may_lead(const char *path);

struct nsd_proc_path {
    enum nsd_path_owner owner;
    int32_t tid;     /* of the thread or process that the path names; 0 for none */
    nsd_kinds kinds; /* 0 where the path does not say */
};

/* False: the path leads to no namespace. After true the descriptor must still be asked. */
bool proc_path__read(const char *path, struct nsd_proc_path *read);

#endif
