/*
 * What surrounds an exec, for the wrappers of those names and for syscall(): the report before it,
 * the environment of the next image, and what must be said if it comes back.
 */
#ifndef NSD_PROBES_LIBC_EXEC_H
#define NSD_PROBES_LIBC_EXEC_H

#include "calls/observe.h"
#include "host/environment.h"

struct nsd_exec {
    struct nsd_environment environment; /* exec with environment.list */
    bool changed;                       /* it is not the host's own list */
    bool ours;
    int32_t tid;
};

/*
 * Also in a vfork child, for the environment alone. `given` as the host gave it; folder and path as
 * execveat takes them, NULL where the path is libc's to find.
 */
void exec__begin(struct nsd_exec *exec, const struct nsd_site *site, int folder, const char *path,
                 char *const given[]);
/* It came back. Returns the result; errno stays. */
long exec__failed(struct nsd_exec *exec, long result);

#endif
