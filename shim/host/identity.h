/*
 * Which namespace a descriptor or a thread leads to, as the kernel says. Called around a switch and
 * for the look at the report. Raw system calls only; none where they are
 * forbidden (sys__is_forbidden): every question is answered with -EPERM then. Safe in a signal
 * handler and on a Go stack.
 */
#ifndef NSD_HOST_IDENTITY_H
#define NSD_HOST_IDENTITY_H

#include "ledger/event.h"

/*
 * The namespace that descriptor `fd` leads to. `flags` is the type argument of setns; where it
 * names no single kind NS_GET_NSTYPE is asked. Then NS_GET_ID, with the inode from a table of known
 * ids or by one fstat; by fstat alone where the kernel has no ids. 0, or -ENOTTY for a descriptor
 * that leads to no namespace (a pidfd), or another negative errno. CLONE_NEWPID and CLONE_NEWTIME
 * give the ..._for_children kinds, as setns does.
 */
int identity__of_descriptor(int fd, uint64_t flags, struct nsd_identity *identity);
/*
 * The namespace of this kind that thread `tid` is in, by /proc/self/task/TID/ns; tid 0 means the
 * caller (/proc/thread-self/ns). The id is 0: the path tells only the inode. 0 or a negative errno.
 */
int identity__of_thread(int32_t tid, enum nsd_kind kind, struct nsd_identity *identity);
/* Adds to event->identity each of these kinds that can be read for thread `tid`. */
void identity__fill(struct nsd_event *event, int32_t tid, nsd_kinds kinds);
/* The kernel's number of threads (links of /proc/self/task less two); 0 if it cannot be read. */
uint32_t identity__kernel_threads(void);

#endif
