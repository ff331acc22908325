/*
 * nsdrift.h: functions that a program can call when nsdrift is preloaded into it.
 *
 * All functions are weak symbols, so nothing has to be linked. If nsdrift is not loaded, or loaded
 * without NSDRIFT=1, they do nothing and return 0 (nsdrift_version: see below).
 *
 * "Home" are the namespaces of the process: those of the main thread when the process last went
 * from one thread to two. A thread is "away" while it is in another namespace than home.
 * See libnsdrift(7).
 */
#ifndef NSDRIFT_H
#define NSDRIFT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names of the bits of nsdrift_drift.kinds, bit 0 first. */
#define NSDRIFT_KIND_NAMES                                                                         \
    "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", \
        "uts"

/* One thread that is away. */
struct nsdrift_drift {
    pid_t tid;
    unsigned kinds; /* kinds of namespace in which it is away: one bit each, NSDRIFT_KIND_NAMES */
    int pinned;     /* number of nsdrift_thread_pin calls without their unpin */
    int is_main;    /* 1: the main thread */
};

/*
 * Between pin and unpin the calling thread may be away. If it is still away at the last unpin,
 * nsdrift reports unlocked-while-switched. For C this is what runtime.LockOSThread and
 * UnlockOSThread are for Go. Pins are counted per thread. Safe in signal handlers.
 */
extern void nsdrift_thread_pin(void) __attribute__((weak));
extern void nsdrift_thread_unpin(void) __attribute__((weak));
/*
 * Fills one entry for each living thread that is away, at most `room` of them, and returns the
 * number of threads that are away, which may be greater than `room`. Returns 0 also if it cannot
 * get nsdrift's lock, which another thread holds at that moment. Not safe in signal handlers.
 */
extern size_t nsdrift_check(struct nsdrift_drift *drift, size_t room) __attribute__((weak));
/* Writes a report now, as the option signal= does when its signal arrives. */
extern void nsdrift_report(void) __attribute__((weak));
/* The version of the loaded library, for example "0.1.0"; "" if it is not loaded. */
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
