/*
 * Wrappers of libc's functions that end the process. Called by the host. Nothing is held when the
 * real function is called, because it does not return.
 */
#include "probes/libc/entrance.h"

#define NSD_WRAPPER_OF_EXIT(name)                                                                  \
    void name(int status) {                                                                        \
        struct nsd_ongoing ongoing;                                                                \
                                                                                                   \
        if (nsd_on) {                                                                              \
            NSD_BEGIN(&ongoing, name, NSD_SITE(), status);                                         \
            calls__before(&ongoing);                                                               \
            status = (int) ongoing.argument[0];                                                    \
        }                                                                                          \
        NEXT(name)(status);                                                                        \
        __builtin_unreachable();                                                                   \
    }
NSD_WRAPPER_OF_EXIT(exit)
NSD_WRAPPER_OF_EXIT(quick_exit)
NSD_WRAPPER_OF_EXIT(_exit)
NSD_WRAPPER_OF_EXIT(_Exit)
