/*
 * Wrappers of pthread_create, thrd_create and the exits of threads. pthread_create may run before
 * our constructor: the loader may call a library's constructor before that of a preloaded object,
 * and that of a Go library creates a thread. Called by the host.
 */
#include "probes/go/go.h"
#include "probes/libc/entrance.h"
#include "start/start.h"

int pthread_create(unsigned long *thread, const void *attributes, void *(*routine)(void *),
                   void *argument) {
    struct nsd_ongoing ongoing;

    if (!nsd_on)
        start__early();
    if (nsd_on && go__library_begins((uintptr_t) __builtin_return_address(0)))
        start__learn_go(true);
    if (!nsd_on)
        return NEXT(pthread_create)(thread, attributes, routine, argument);
    NSD_BEGIN(&ongoing, pthread_create, NSD_SITE(), thread, attributes, routine, argument);
    calls__before(&ongoing);
    return entrance__after_error(&ongoing,
                                 NEXT(pthread_create)(thread, attributes,
                                                      (void *(*) (void *) ) ongoing.argument[2],
                                                      (void *) ongoing.argument[3]));
}

/* thrd_success is 0, as the success of pthread_create. */
int thrd_create(unsigned long *thread, int (*routine)(void *), void *argument) {
    struct nsd_ongoing ongoing;

    if (!nsd_on)
        return NEXT(thrd_create)(thread, routine, argument);
    NSD_BEGIN(&ongoing, thrd_create, NSD_SITE(), thread, NULL, routine, argument);
    calls__before(&ongoing);
    return entrance__after_error(&ongoing,
                                 NEXT(thrd_create)(thread, (int (*)(void *)) ongoing.argument[2],
                                                   (void *) ongoing.argument[3]));
}

void pthread_exit(void *value) {
    struct nsd_ongoing ongoing;

    if (nsd_on) {
        NSD_BEGIN(&ongoing, pthread_exit, NSD_SITE(), value);
        calls__before(&ongoing);
    }
    NEXT(pthread_exit)(value);
    __builtin_unreachable();
}

void thrd_exit(int value) {
    struct nsd_ongoing ongoing;

    if (nsd_on) {
        NSD_BEGIN(&ongoing, thrd_exit, NSD_SITE(), value);
        calls__before(&ongoing);
    }
    NEXT(thrd_exit)(value);
    __builtin_unreachable();
}
