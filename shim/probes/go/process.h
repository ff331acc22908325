/*
 * The Go hooks of calls that begin, replace or end a process, as rows of hook.c's table.
 */
#ifndef NSD_PROBES_GO_PROCESS_H
#define NSD_PROBES_GO_PROCESS_H

#include "probes/go/moment.h"

void process__before_clone(struct nsd_go_moment *moment);
void process__after_clone(struct nsd_go_moment *moment);
void process__before_exec(struct nsd_go_moment *moment);
void process__after_exec(struct nsd_go_moment *moment);
void process__before_exit(struct nsd_go_moment *moment);
void process__before_exit_group(struct nsd_go_moment *moment);
/* The same in a vfork child: nothing is recorded, but its next image is handed on to. */
void process__child_before_exec(struct nsd_go_call *call, uint64_t m);
void process__child_after_exec(struct nsd_go_call *call, uint64_t m);

#endif
