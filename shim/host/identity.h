/*
 * Which namespace: the kernel's answer for a descriptor or for a thread. Called by the probes
 * around a switch and by the look at the report. Raw system calls only; none at all once the host
 * has set a seccomp filter (identity__quiet).
 */
#ifndef NSD_HOST_IDENTITY_H
#define NSD_HOST_IDENTITY_H

#include "ledger/event.h"

/*
 * Of an open nsfs descriptor: kind by NS_GET_NSTYPE when not given by `flags`, id by NS_GET_ID
 * (with the inode from a cache of ids already seen, else one fstat), or by fstat where the kernel
 * has no ids. Returns 0; -ENOTTY for a descriptor that is no namespace (a pidfd); other negative
 * errno. For CLONE_NEWPID and CLONE_NEWTIME the kind is the ..._for_children one, as setns means
 * it.
 */
int identity__of_descriptor(int fd, uint64_t flags, struct nsd_identity *identity);
/* Of a thread, by /proc/self/task/TID/ns (TID 0: the caller, /proc/thread-self/ns). Inode only. */
int identity__of_thread(int32_t tid, enum nsd_kind kind, struct nsd_identity *identity);
/* Fills event->identity for every kind in `kinds` that can be read of thread tid. */
void identity__fill(struct nsd_event *event, int32_t tid, nsd_kinds kinds);
/* From now on no call that the host does not make itself: every question is answered -EPERM. */
void identity__quiet(void);
bool identity__is_quiet(void);
/* Number of threads by the kernel (links of /proc/self/task less two), 0 if it cannot be had. */
uint32_t identity__kernel_threads(void);

#endif
