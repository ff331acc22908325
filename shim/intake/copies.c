/*
 * Copies that wait (copies.h). Called in signal handlers and in fork children: no libc, and system
 * calls only where a child is found to wait.
 */
#include "intake/copies.h"
#include "host/caller.h"
#include "intake/guarded.h"
#include "record/writer.h"

/*
 * The thread pointer of the thread that forks in a handler which has interrupted its own work under
 * the lock; 0: none. Written by the lock's owner alone. Sequentially consistent: a rare event.
 */
static _Atomic uintptr_t forking;
/* In such a child, until the interrupted work has ended. Only its one thread writes it. */
static _Atomic bool is_waiting;
static _Atomic uint32_t left_while_waiting;

static bool owns(int32_t tid) {
    return lock__owner(&intake.lock) == tid || copies__is_waiting();
}

void copies__before_fork(int32_t tid, uintptr_t thread_pointer) {
    if (owns(tid))
        atomic_store(&forking, thread_pointer);
}

void copies__after_fork(int32_t tid) {
    if (owns(tid))
        atomic_store(&forking, 0);
}

bool copies__must_wait(uintptr_t thread_pointer) {
    /* Another thread was the owner: it has not been copied. */
    if (atomic_load(&forking) != thread_pointer)
        atomic_store(&forking, 0);
    if (atomic_load(&forking) == 0)
        return false;
    if (!copies__is_waiting()) {
        record__stand_apart();
        atomic_store(&left_while_waiting, 0);
        atomic_store(&is_waiting, true);
    }
    return true;
}

bool copies__is_waiting(void) {
    return atomic_load_explicit(&is_waiting, memory_order_relaxed);
}

void copies__note_left(void) {
    atomic_fetch_add(&left_while_waiting, 1);
}

bool copies__settle(void) {
    uint32_t left = atomic_load(&left_while_waiting);

    if (!copies__is_waiting())
        return false;
    atomic_store(&is_waiting, false);
    atomic_store(&forking, 0);
    caller__fork_child();
    for (; left > 0; left--)
        guarded__count_lost();
    return true;
}
