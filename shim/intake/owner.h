/*
 * The lock's owner that does not come back: whether it has left, and what becomes of the records
 * then. An owner leaves by siglongjmp out of a handler that interrupted it, by asynchronous cancel,
 * or with its process (clone with CLONE_VM) when that is killed. Called by the intake where the
 * lock could not be had at once; makes no system call under a seccomp filter of the host.
 */
#ifndef NSD_INTAKE_OWNER_H
#define NSD_INTAKE_OWNER_H

#include "base/lock.h"

/*
 * Waits a bounded time for the lock, and takes it over from an owner that has left. False: the lock
 * is not to be had now; at once if a handler has interrupted the owner, which is this thread.
 */
bool owner__wait(struct nsd_hold *hold, int32_t tid);
/*
 * Thread `tid`, which calls, owns the lock: a signal handler has interrupted it in the middle of
 * the intake's work.
 */
bool owner__is_oneself(int32_t tid);
/*
 * The same, and the interrupted work will never go on, because the program ends: takes the lock
 * over as from an owner that has left. False: the owner is another by now.
 */
bool owner__end(struct nsd_hold *hold, int32_t tid);

#endif
