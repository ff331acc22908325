/*
 * Wrappers of sigaction and signal under all their names. For the signal of the option signal=, our
 * handler is installed and calls/signals.c keeps the host's action: the host sets and reads that
 * one. Calls for any other signal go straight to libc. Called by the host; makes no event.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "calls/signals.h"
#include "host/libc/errno.h"
#include "host/libc/next.h"

#include <asm/errno.h>

/* <asm/signal.h> */
#define FLAG_RESTORER 0x04000000ul
#define FLAG_RESTART 0x10000000ul
#define FLAG_INTERRUPT 0x20000000ul
#define FLAG_NODEFER 0x40000000ul
#define FLAG_RESETHAND 0x80000000ul
#define FAILED ((nsd_handler *) -1)

static bool is_ours(int number) {
    return signals__is_ours(number, machine__thread_pointer());
}

static int change(const struct nsd_action *set, struct nsd_action *old) {
    struct nsd_kernel_action kernel_set, kernel_old;

    if (set != NULL) {
        kernel_set.handler = set->handler;
        /* Both libcs add a restorer, and a query afterwards returns this flag. */
        kernel_set.flags = (uint32_t) set->flags | FLAG_RESTORER;
        kernel_set.restorer = NULL;
        kernel_set.mask = set->mask[0];
    }
    signals__host_action(set != NULL ? &kernel_set : NULL, &kernel_old);
    if (old != NULL) {
        old->handler = kernel_old.handler;
        old->flags = (int) kernel_old.flags;
        old->restorer = kernel_old.restorer;
        old->mask[0] = kernel_old.mask;
    }
    return 0;
}

static nsd_handler *change_handler(nsd_handler *handler, unsigned long flags, unsigned long mask) {
    struct nsd_action set = {.handler = handler, .flags = (int) flags, .mask = {mask}};
    struct nsd_action old;

    if (handler == FAILED) {
        host__set_errno(EINVAL);
        return FAILED;
    }
    change(&set, &old);
    return old.handler;
}

static nsd_handler *change_as_bsd(int number, nsd_handler *handler) {
    return change_handler(handler, FLAG_RESTART, 1ul << (number - 1));
}

static nsd_handler *change_as_system_v(nsd_handler *handler) {
    return change_handler(handler, FLAG_RESETHAND | FLAG_NODEFER | FLAG_INTERRUPT, 0);
}

int sigaction(int number, const struct nsd_action *set, struct nsd_action *old) {
    return is_ours(number) ? change(set, old) : NEXT(sigaction)(number, set, old);
}

int __sigaction(int number, const struct nsd_action *set, struct nsd_action *old) {
    return is_ours(number) ? change(set, old) : NEXT(__sigaction)(number, set, old);
}

nsd_handler *signal(int number, nsd_handler *handler) {
    return is_ours(number) ? change_as_bsd(number, handler) : NEXT(signal)(number, handler);
}

nsd_handler *bsd_signal(int number, nsd_handler *handler) {
    return is_ours(number) ? change_as_bsd(number, handler) : NEXT(bsd_signal)(number, handler);
}

nsd_handler *ssignal(int number, nsd_handler *handler) {
    return is_ours(number) ? change_as_bsd(number, handler) : NEXT(ssignal)(number, handler);
}

nsd_handler *sysv_signal(int number, nsd_handler *handler) {
    return is_ours(number) ? change_as_system_v(handler) : NEXT(sysv_signal)(number, handler);
}

nsd_handler *__sysv_signal(int number, nsd_handler *handler) {
    return is_ours(number) ? change_as_system_v(handler) : NEXT(__sysv_signal)(number, handler);
}
