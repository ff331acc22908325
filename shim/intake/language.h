/*
 * The language runtime that runs its own tasks on this image's threads (Go), as far as the intake
 * must know it: there is at most one. Its probe sets it before the process has a second thread (Go
 * in a library: before the runtime has a thread). Asked by the intake and by shim/calls; safe
 * wherever an event is.
 */
#ifndef NSD_INTAKE_LANGUAGE_H
#define NSD_INTAKE_LANGUAGE_H

#include "ledger/event.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_language {
    /*
     * Fills runtime, goroutine, lock and lock_epoch of the goroutine that runs on thread `tid` now.
     * False: the thread does not belong to this runtime.
     */
    bool (*identify)(int32_t tid, struct nsd_event *event);
    /* Descriptors that lead to namespaces are known: close and dup matter from now on. */
    void (*watch_descriptors)(void);
    /*
     * The stack of C code with the stack of the goroutine that called it behind it; `frames` itself
     * where no goroutine did.
     */
    const struct nsd_frames *(*behind_c)(int32_t tid, const struct nsd_frames *frames);
};

/*
 * Release and acquire: a Go library makes itself known while other threads run, and they must see
 * the decoded runtime behind the pointer. NULL: no language. In the header because every event of a
 * C program asks for it.
 */
extern const struct nsd_language *_Atomic nsd_language;

static inline void language__set(const struct nsd_language *language) {
    atomic_store_explicit(&nsd_language, language, memory_order_release);
}

static inline bool language__is_known(void) {
    return atomic_load_explicit(&nsd_language, memory_order_acquire) != NULL;
}

/* The three questions, put to the known language; without one: false, nothing and `frames`. */
static inline bool language__identify(int32_t tid, struct nsd_event *event) {
    const struct nsd_language *asked = atomic_load_explicit(&nsd_language, memory_order_acquire);

    return asked != NULL && asked->identify(tid, event);
}

static inline void language__watch_descriptors(void) {
    const struct nsd_language *asked = atomic_load_explicit(&nsd_language, memory_order_acquire);

    if (asked != NULL)
        asked->watch_descriptors();
}

static inline const struct nsd_frames *language__behind_c(int32_t tid,
                                                          const struct nsd_frames *frames) {
    const struct nsd_language *asked = atomic_load_explicit(&nsd_language, memory_order_acquire);

    return asked != NULL && frames != NULL ? asked->behind_c(tid, frames) : frames;
}

#endif
