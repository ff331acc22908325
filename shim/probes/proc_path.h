/*
 * What a path under /proc says about namespaces: whose, and of which kind. Asked by the libc probes
 * and by the Go hooks about paths that were opened. Words alone, no system call; the path must be
 * readable (memory__try_string).
 */
#ifndef NSD_PROBES_PROC_PATH_H
#define NSD_PROBES_PROC_PATH_H

#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>

struct nsd_proc_path {
    enum nsd_path_owner owner; /* never NSD_PATH_OTHER where parse says true */
    int32_t pid;               /* /proc/PID/...: PID; 0 for self and thread-self */
    int32_t tid;               /* TASK: TID, PID: PID; else 0 */
    enum nsd_kind kind;
};

/* Longest form, with slashes to spare: /proc/PID/task/TID/ns/time_for_children. */
#define NSD_PROC_PATH_MOST 96

/* True for ns/KIND of a thread in one of the forms of nsd_path_owner; slashes may be repeated. */
bool proc_path__parse(const char *path, struct nsd_proc_path *out);

#endif
