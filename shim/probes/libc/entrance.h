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
#include "host/libc/errno.h"
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

/* Stores one to six arguments as words; the row reads no others. */
#define NSD_WORD(to, a) *(to) = (uint64_t) (a)
#define NSD_WORDS_1(to, a) NSD_WORD(to, a)
#define NSD_WORDS_2(to, a, ...) NSD_WORD(to, a), NSD_WORDS_1((to) + 1, __VA_ARGS__)
#define NSD_WORDS_3(to, a, ...) NSD_WORD(to, a), NSD_WORDS_2((to) + 1, __VA_ARGS__)
#define NSD_WORDS_4(to, a, ...) NSD_WORD(to, a), NSD_WORDS_3((to) + 1, __VA_ARGS__)
#define NSD_WORDS_5(to, a, ...) NSD_WORD(to, a), NSD_WORDS_4((to) + 1, __VA_ARGS__)
#define NSD_WORDS_6(to, a, ...) NSD_WORD(to, a), NSD_WORDS_5((to) + 1, __VA_ARGS__)
#define NSD_SEVENTH(a, b, c, d, e, f, g, ...) g
#define NSD_WORDS(to, ...)                                                                         \
    NSD_SEVENTH(__VA_ARGS__, NSD_WORDS_6, NSD_WORDS_5, NSD_WORDS_4, NSD_WORDS_3, NSD_WORDS_2,      \
                NSD_WORDS_1, 0)                                                                    \
    (to, __VA_ARGS__)

/* A call is about to be made: by which row, from where, with which arguments. */
static inline void entrance__begin(struct nsd_ongoing *ongoing, enum nsd_row row,
                                   struct nsd_site *site) {
    calls__begin(ongoing, row, &nsd_libc_entrance, site, machine__thread_pointer());
}
/* An expression: NSD_SITE() lives as long as the block that it is in. */
#define NSD_BEGIN_ROW(ongoing, row, site, ...)                                                     \
    (entrance__begin(ongoing, row, site), NSD_WORDS((ongoing)->argument, __VA_ARGS__))
#define NSD_BEGIN(ongoing, function, site, ...)                                                    \
    NSD_BEGIN_ROW(ongoing, NSD_ROW_OF(function), site, __VA_ARGS__)

/* After the call: `result` as libc gives it, -1 with errno for a failure. Returns it. */
static inline long entrance__after(struct nsd_ongoing *ongoing, long result) {
    ongoing->result = result == -1 ? -(long) host__errno() : result;
    calls__after(ongoing);
    return result;
}
/* The same for functions that return the error itself, 0 for none. */
static inline int entrance__after_error(struct nsd_ongoing *ongoing, int error) {
    ongoing->result = -error;
    calls__after(ongoing);
    return error;
}

/*
 * A wrapper of a function whose parameters and result are those of the call. Behind the parameters
 * stand their names once more, as arguments.
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
