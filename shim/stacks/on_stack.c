/*
 * The spare stacks, see on_stack.h. They lie in .bss and cost no memory until they are touched.
 */
#include "stacks/on_stack.h"

#include "base/syscall.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SPARE 8u
/* libunwind takes more for some functions, see step_check.c; untouched pages cost nothing. */
#define SPARE_SIZE (96u << 10)
/* What a thread of the host may be expected to have left, where no spare stack is in use. */
#define ROOM_ON_ITS_OWN (8u << 10)
#define SIG_BLOCK 0
#define SIG_SETMASK 2

static char room[SPARE][SPARE_SIZE] __attribute__((aligned(64)));
/* Taken by an exchange with sequential consistency, given back with release, like any lock. */
static _Atomic bool taken[SPARE];

static unsigned take(void) {
    unsigned i = 0;

    while (i < SPARE && atomic_exchange(&taken[i], true))
        i++;
    return i;
}

static bool block_signals(uint64_t *before) {
    uint64_t all = UINT64_MAX;

    return !sys__is_forbidden() &&
           !SYS_IS_ERROR(SYS4(__NR_rt_sigprocmask, SIG_BLOCK, &all, before, sizeof *before));
}

static void unblock_signals(const uint64_t *before) {
    SYS4(__NR_rt_sigprocmask, SIG_SETMASK, before, NULL, sizeof *before);
}

void on_stack__call_undisturbed(void (*function)(void *), void *argument, void *stack_top) {
    uint64_t before;
    bool blocked = block_signals(&before);

    on_stack__call(function, argument, stack_top);
    if (blocked)
        unblock_signals(&before);
}

bool on_stack__call_apart(void (*function)(void *), void *argument) {
    uint64_t before;
    unsigned i;

    /* Signals are blocked first: a handler that leaves by longjmp would keep the stack for ever. */
    if (!block_signals(&before))
        return false;
    i = take();
    if (i < SPARE) {
        on_stack__call(function, argument, room[i] + SPARE_SIZE);
        atomic_store_explicit(&taken[i], false, memory_order_release);
    }
    unblock_signals(&before);
    return i < SPARE;
}

size_t on_stack__room(void) {
    uintptr_t here = (uintptr_t) __builtin_frame_address(0), lowest = (uintptr_t) room;

    if (here < lowest || here >= lowest + sizeof room)
        return ROOM_ON_ITS_OWN;
    return (here - lowest) % SPARE_SIZE;
}

void on_stack__forget(void) {
    for (unsigned i = 0; i < SPARE; i++)
        atomic_store(&taken[i], false);
}
