/*
 * shim/calls: what each call means, once. All ways in which a call is seen (a libc symbol,
 * syscall(), a Go trampoline: the entrances, in shim/probes) hand it over here.
 *
 * In:   a row of the table (table.h) or a system call number, the arguments, and after the call its
 *       result as the kernel gives it (a negative errno for a failure).
 * Out:  events (intake/submit.h), and arguments that may have been changed before the call (the
 *       environment of an exec, the status of an exit, the start routine of a thread).
 * Who:  the entrances call calls__before and calls__after. Code below this room never does.
 * Not:  nothing here knows a register, a symbol or a stack of its caller: the entrance answers
 *       that (struct nsd_entrance). Nothing here calls a wrapped function, keeps a lock across the
 *       call, or touches errno. It runs on the host's stack, in signal handlers, on goroutines'
 *       hook stacks and in vfork children, for which nothing may be recorded.
 *
 * To add a libc function or a system call:
 *   1. shim/ledger/calls.h: a row for its event, unless an event of its meaning is there;
 *   2. shim/calls/table.h: a row for its meaning; calls__prepare_event and calls__record
 *      are enough for a call that is only recorded with its arguments and its result;
 *   3. shim/host/libc/function_table.h: its prototype, the row's name, what stands in for it in a
 *      libc that lacks it (a system call without a libc function needs no row there);
 *   4. shim/probes/libc: a line NSD_WRAPPER in plain.c, or a wrapper in the file of its family;
 *   5. tests/subjects/calls.py: a case with its arguments; the test fails until it is there.
 * syscall() and Go's trampolines take it from the table without further words.
 */
#ifndef NSD_CALLS_CALLS_H
#define NSD_CALLS_CALLS_H

#include "base/syscall.h"
#include "calls/table.h"
#include "host/environment.h"
#include "intake/submit.h"
#include "ledger/event.h"
#include <stdbool.h>
#include <stdint.h>

enum nsd_row {
    NSD_ROW_NONE,
#define X(name, event, arguments, moments, watch, before, after) NSD_ROW_##name,
    NSD_TABLE_OF_CALLS(X, X, X)
#undef X
        NSD_ROWS
};

/* When an entrance that keeps nothing across the call hands it over (table.h). */
enum nsd_moments {
    NSD_MOMENT_NEVER = 0,
    NSD_MOMENT_BEFORE = 1,
    NSD_MOMENT_AFTER = 2,
    NSD_MOMENT_BOTH = 3,
};

/* When a call matters (table.h). */
enum nsd_watch {
    NSD_WATCH_ALWAYS,
    NSD_WATCH_SWITCHED,
    NSD_WATCH_DESCRIPTORS,
    NSD_WATCH_PATH_1,
    NSD_WATCH_PATH_2,
};

/* By row, as constants: a wrapper asks without a look into the table. */
enum nsd_watch_of_row {
#define X(name, event, arguments, moments, watch, before, after)                                   \
    NSD_WATCH_OF_##name = NSD_WATCH_##watch,
    NSD_TABLE_OF_CALLS(X, X, X)
#undef X
};

struct nsd_ongoing;

struct nsd_call_meaning {
    uint16_t number; /* __NR_name; NSD_CALL_NUMBERS: it has none */
    uint8_t row;     /* enum nsd_row */
    uint8_t event;   /* enum nsd_call */
    uint8_t moments; /* enum nsd_moments */
    uint8_t watch;   /* enum nsd_watch */
    char arguments[7];
    void (*before)(struct nsd_ongoing *ongoing);
    void (*after)(struct nsd_ongoing *ongoing);
};
extern const struct nsd_call_meaning nsd_call_meanings[NSD_ROWS];

/* By system call number: the row, 0 for none. Read by the assembly of syscall(). */
#define NSD_CALL_NUMBERS 512
extern const uint8_t nsd_row_of_number[NSD_CALL_NUMBERS] __attribute__((visibility("hidden")));

/* Questions that only the entrance can answer. Each may be asked in a signal handler. */
struct nsd_entrance {
    /* The struct nsd_ongoing of before is there after the call too. */
    bool keeps;
    /* libc's functions may be called on this stack, by this thread. */
    bool may_call_libc;
    /*
     * Whether events of the caller count; fills ongoing->tid. False for a vfork child, and where
     * the tid cannot be found.
     */
    bool (*is_ours)(struct nsd_ongoing *ongoing);
    /* Fills runtime, goroutine and lock of ongoing->event. */
    void (*describe)(struct nsd_ongoing *ongoing);
    /* Fills frames and stack_pointer of ongoing->event. */
    void (*capture)(struct nsd_ongoing *ongoing);
    /* The call has just returned 0, in a copy of the process. */
    void (*began_as_copy)(struct nsd_ongoing *ongoing);
    /* A child in our memory is gone; NULL: nothing to do. */
    void (*child_is_gone)(struct nsd_ongoing *ongoing);
    /* The event of a switch is about to be handed in; NULL: nothing to do. */
    void (*switching)(struct nsd_ongoing *ongoing);
};

struct nsd_thread_start;

/* One call, from the entrance's first step to its last. */
struct nsd_ongoing {
    /* Filled by the entrance: */
    const struct nsd_call_meaning *meaning;
    const struct nsd_entrance *entrance;
    void *caller;  /* the entrance's own */
    uintptr_t key; /* the same in a thread and in its vfork child: thread pointer, or Go's m */
    uint64_t
        argument[6]; /* as the system call or the function takes them; before() may change them */
    int64_t result;  /* after the call; a negative errno for a failure */
    /* Filled by calls__before: */
    bool is_answered; /* `result` is the answer, and the call must not be made */
    /* Filled on the way: */
    bool is_prepared; /* `event` is filled for this call */
    bool is_ours;     /* what the entrance's is_ours() returned last */
    int32_t tid;
    struct nsd_event event;
    union {
        struct nsd_environment environment; /* exec, spawn */
        struct nsd_thread_start *birth;     /* pthread_create; NULL: the thread is not followed */
        struct {
            uintptr_t key; /* given to caller__mark_vfork; 0: no vfork child was marked */
            bool stood;    /* an outer call of this thread clears the mark */
            uint64_t flags;
        } child;       /* fork and its kin */
        bool by_pidfd; /* setns */
    } kept;
};

/* The first step of an entrance: fills the fields of the entrance, except the arguments. */
static inline void calls__begin(struct nsd_ongoing *ongoing, enum nsd_row row,
                                const struct nsd_entrance *entrance, void *caller, uintptr_t key) {
    ongoing->meaning = &nsd_call_meanings[row];
    ongoing->entrance = entrance;
    ongoing->caller = caller;
    ongoing->key = key;
    ongoing->is_answered = ongoing->is_prepared = ongoing->is_ours = false;
}
/* Called only if calls__is_watched was true just before. */
static inline void calls__before(struct nsd_ongoing *ongoing) {
    if (ongoing->meaning->before != NULL)
        ongoing->meaning->before(ongoing);
}
static inline void calls__after(struct nsd_ongoing *ongoing) {
    if (ongoing->meaning->after != NULL)
        ongoing->meaning->after(ongoing);
}

/* Before anything else is done: whether a call with this watch condition can matter now. */
static inline bool calls__is_watched(enum nsd_watch watch) {
    switch (watch) {
    case NSD_WATCH_SWITCHED:
        return submit__any_switch();
    case NSD_WATCH_DESCRIPTORS:
        return submit__any_descriptor();
    default:
        return true;
    }
}

#endif
