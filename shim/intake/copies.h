/*
 * Fork copies that are made in the middle of the intake's work. A signal handler interrupts the
 * lock's owner and forks; the child returns from the handler into that work, which goes on in the
 * child's copy of the ledger:
 *
 *     before the fork   thread T owns the lock, and asks for a copy: its thread pointer is noted
 *     in the child      the same thread pointer: the image must wait. The recording is replaced by
 *                       a private copy, so that the rest of the record does not reach the parent's
 *     meanwhile         events of the child are queued, as in any handler
 *     then              the work ends (or never will): the image begins, with an empty ledger
 *
 * Called around forks, at the beginning of copies, by the intake, and by the ends of images.
 */
#ifndef NSD_INTAKE_COPIES_H
#define NSD_INTAKE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Around a fork by thread `tid`. The thread pointer tells this thread's child from the child of
 * another thread that forks at the same time.
 */
void copies__before_fork(int32_t tid, uintptr_t thread_pointer);
void copies__after_fork(int32_t tid);
/* In a child, before its image begins: true if it must wait. */
bool copies__must_wait(uintptr_t thread_pointer);
bool copies__is_waiting(void);
/* Counts an event of a child that waits, which will be lost. */
void copies__note_left(void);
/*
 * The work that this child waited for has ended, or will never go on: its image begins now, by
 * caller__fork_child. False: no image waits.
 */
bool copies__settle(void);

#endif
