/*
 * shim/probes/libc: the entrance of calls that come by a libc symbol or by syscall().
 *
 * In:   a call of an exported function, on the host's stack.
 * Out:  the same call of the next definition, with calls__before and calls__after around it.
 * Who:  the host alone. Our own code never calls a wrapper.
 * Not:  nothing here knows what a call means (shim/calls does); errno stays as the real call left
 *       it; nothing is held while the real call runs, since a thread may be cancelled in it or
 *       jump out of it.
 */
#ifndef NSD_PROBES_LIBC_ENTRANCE_H
#define NSD_PROBES_LIBC_ENTRANCE_H

#include "base/syscall.h"
#include "calls/calls.h"
#include "host/caller.h"
#include "host/libc/next.h"
#include <stdbool.h>
#include <stdint.h>

/* Where a wrapper was called from, for the capture of its stack. */
struct nsd_site {
    uintptr_t return_address;
    uintptr_t stack_pointer; /* of the caller, after the wrapper returns */
    uintptr_t frame_pointer; /* of the caller */
};

/* In the exported function itself only: it looks at that function's own frame. */
#define NSD_SITE()                                                                                 \
    (&(struct nsd_site){                                                                           \
        .return_address = (uintptr_t) __builtin_return_address(0),                                 \
        .stack_pointer = (uintptr_t) __builtin_frame_address(0) + 2 * sizeof(uintptr_t),           \
        .frame_pointer = *(const uintptr_t *) __builtin_frame_address(0),                          \
    })

/* The row of a wrapped function, and its watch condition. */
#define X(result, name, parameters, row, stand_in)                                                 \
    NSD_ROW_OF_FUNCTION_##name = NSD_ROW_##row, NSD_WATCH_OF_FUNCTION_##name = NSD_WATCH_OF_##row,
enum { NSD_WATCH_OF_NONE = NSD_WATCH_ALWAYS, NSD_FUNCTION_TABLE(X) };
#undef X
#define NSD_ROW_OF(function) ((enum nsd_row) NSD_ROW_OF_FUNCTION_##function)

/* Whether a call of this function can matter now. */
#define NSD_IS_WATCHED(function)                                                                   \
    (nsd_on && calls__is_watched((enum nsd_watch) NSD_WATCH_OF_FUNCTION_##function))

extern const struct nsd_entrance nsd_libc_entrance __attribute__((visibility("hidden")));

/* One to six arguments as words. */
#define NSD_WORD_1(a) (uint64_t)(a)
#define NSD_WORD_2(a, ...) (uint64_t)(a), NSD_WORD_1(__VA_ARGS__)
#define NSD_WORD_3(a, ...) (uint64_t)(a), NSD_WORD_2(__VA_ARGS__)
#define NSD_WORD_4(a, ...) (uint64_t)(a), NSD_WORD_3(__VA_ARGS__)
#define NSD_WORD_5(a, ...) (uint64_t)(a), NSD_WORD_4(__VA_ARGS__)
#define NSD_WORD_6(a, ...) (uint64_t)(a), NSD_WORD_5(__VA_ARGS__)
#define NSD_SEVENTH(a, b, c, d, e, f, g, ...) g
#define NSD_WORDS(...)                                                                             \
    NSD_SEVENTH(__VA_ARGS__, NSD_WORD_6, NSD_WORD_5, NSD_WORD_4, NSD_WORD_3, NSD_WORD_2,           \
                NSD_WORD_1, 0)                                                                     \
    (__VA_ARGS__)

/* A call is about to be made: by which row, from where, with which arguments. */
static inline void entrance__begin(struct nsd_ongoing *ongoing, enum nsd_row row,
                                   struct nsd_site *site, const uint64_t argument[6]) {
    calls__begin(ongoing, row, &nsd_libc_entrance, site, machine__thread_pointer());
    __builtin_memcpy(ongoing->argument, argument, sizeof ongoing->argument);
}
#define NSD_BEGIN(ongoing, function, site, ...)                                                    \
    entrance__begin(ongoing, NSD_ROW_OF(function), site,                                           \
                    (const uint64_t[6]){NSD_WORDS(__VA_ARGS__)})

/* After the call: `result` as libc gives it, -1 with errno for a failure. Returns it. */
long entrance__after(struct nsd_ongoing *ongoing, long result);
/* The same for functions that return the error itself, 0 for none. */
int entrance__after_error(struct nsd_ongoing *ongoing, int error);

/*
 * A wrapper whose function takes and gives what the call does. Its arguments are named once more
 * behind the parameters.
 */
#define NSD_WRAPPER(name, parameters, ...)                                                         \
    int name parameters {                                                                          \
        struct nsd_ongoing ongoing_;                                                               \
                                                                                                   \
        if (!NSD_IS_WATCHED(name))                                                                 \
            return NEXT(name)(__VA_ARGS__);                                                        \
        NSD_BEGIN(&ongoing_, name, NSD_SITE(), __VA_ARGS__);                                       \
        calls__before(&ongoing_);                                                                  \
        return (int) entrance__after(&ongoing_, NEXT(name)(__VA_ARGS__));                          \
    }

#endif
