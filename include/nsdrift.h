/*
 * nsdrift.h: what a program may say to nsdrift when it is preloaded, and what it may ask.
 *
 * Everything here is weak: a program that uses it runs unchanged where nsdrift is not loaded, and
 * then every call is a no-op that answers 0. Nothing needs to be linked.
 */
#ifndef NSDRIFT_H
#define NSDRIFT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of namespace in nsdrift_drift.kinds: bit 0 is the first of these, in this order. */
#define NSDRIFT_KIND_NAMES                                                                         \
    "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",         \
        "user", "uts"

/* One thread that differs from home. */
struct nsdrift_drift {
    pid_t tid;
    unsigned kinds;   /* bits by NSDRIFT_KIND_NAMES */
    int pinned;       /* depth of nsdrift_thread_pin */
    int is_main;
};

/*
 * The calling thread must not be left away from home before the matching unpin: what
 * runtime.LockOSThread is to Go. Counted, per thread. Safe in signal handlers.
 */
extern void nsdrift_thread_pin(void) __attribute__((weak));
extern void nsdrift_thread_unpin(void) __attribute__((weak));
/*
 * Fills at most `room` entries, one for each live thread that differs from home, and returns how
 * many there are (which may be more than room). Not safe in signal handlers.
 */
extern size_t nsdrift_check(struct nsdrift_drift *drift, size_t room) __attribute__((weak));
/* Writes the report now, as signal= would. */
extern void nsdrift_report(void) __attribute__((weak));
/* "0.1.0", or "" where it is not loaded. */
extern const char *nsdrift_version(void) __attribute__((weak));

#ifndef NSDRIFT_IMPLEMENTATION
#define nsdrift_thread_pin() (nsdrift_thread_pin ? nsdrift_thread_pin() : (void) 0)
#define nsdrift_thread_unpin() (nsdrift_thread_unpin ? nsdrift_thread_unpin() : (void) 0)
#define nsdrift_check(drift, room) (nsdrift_check ? nsdrift_check((drift), (room)) : (size_t) 0)
#define nsdrift_report() (nsdrift_report ? nsdrift_report() : (void) 0)
#define nsdrift_version() (nsdrift_version ? nsdrift_version() : "")
#endif

#ifdef __cplusplus
}
#endif
#endif
