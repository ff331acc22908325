/*
 * Calls that start a process: fork and its sisters, clone, posix_spawn. The child of a fork is
 * given a fresh image before it does anything else; a child in our memory is marked while it runs.
 */
#include "probes/libc/processes.h"

#include "base/syscall.h"
#include "host/libc/next.h"
#include "calls/observe.h"
#include "host/libc/prototypes.h"
#include "host/environment.h"
#include "calls/signals.h"
#include "host/unwatched.h"

#include <linux/sched.h>
#include <stdarg.h>

long processes__copied(struct nsd_event *event, bool ours, long result) {
    struct nsd_caller copy;

    if (result == 0) {
        /* Unless a handler of pthread_atfork was the first to come by: this makes a fresh image. */
        if (nsd_on)
            caller__is_ours(&copy, machine__thread_pointer(), 0);
        return 0;
    }
    if (ours) {
        event->other_tid = result > 0 ? (int32_t) result : 0;
        observe__end(event, result);
    }
    return result;
}

int fork(void) {
    struct nsd_event event;
    bool ours = nsd_on && observe__begin(&event, NSD_CALL_FORK, NSD_SITE());

    return (int) processes__copied(&event, ours, NEXT(fork)());
}

int _Fork(void) {
    struct nsd_event event;
    bool ours = nsd_on && observe__begin(&event, NSD_CALL_FORK, NSD_SITE());

    return (int) processes__copied(&event, ours, NEXT(_Fork)());
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
    struct nsd_event event;
    uintptr_t thread_pointer;
    bool ours, marked;
    va_list rest;
    int *parent, *child, result;
    void *tls;

    va_start(rest, argument);
    parent = va_arg(rest, int *);
    tls = va_arg(rest, void *);
    child = va_arg(rest, int *);
    va_end(rest);
    /* A thread made like this makes itself known by its first call. */
    if ((flags & CLONE_THREAD) != 0)
        caller__distrust_thread_pointer();
    ours =
        nsd_on && (flags & CLONE_THREAD) == 0 && observe__begin(&event, NSD_CALL_CLONE, NSD_SITE());
    if (!ours)
        return NEXT(clone)(function, stack, flags, argument, parent, tls, child);
    event.arguments[0] = (uint32_t) flags;
    if ((flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
        caller__distrust_thread_pointer();
    /* The child has its own stack, so this frame is still whole when the parent runs on. */
    thread_pointer = (flags & CLONE_SETTLS) != 0 ? (uintptr_t) tls : machine__thread_pointer();
    marked = (flags & (CLONE_VM | CLONE_VFORK)) == (CLONE_VM | CLONE_VFORK) &&
             caller__mark_vfork(event.tid, thread_pointer);
    result = NEXT(clone)(function, stack, flags, argument, parent, tls, child);
    if (marked)
        caller__clear_vfork(event.tid, thread_pointer);
    event.other_tid = result > 0 ? result : 0;
    return (int) observe__end(&event, result);
}

typedef int spawn_function(int *, const char *, const void *, const void *, char *const[],
                           char *const[]);

/* The library's own child makes only calls inside the library: it needs no mark. */
static int spawn(spawn_function *next, const struct nsd_site *site, int *pid, const char *path,
                 const void *actions, const void *attributes, char *const list[],
                 char *const given[]) {
    struct nsd_environment environment;
    struct nsd_event event;
    int error, child = 0;
    bool ours = observe__begin(&event, NSD_CALL_POSIX_SPAWN, site);

    /* In a vfork child too the mapping can go before the parent runs on: the spawned has its own.
     */
    environment__for_exec(given, 0, &environment);
    signals__before_exec();
    error = next(&child, path, actions, attributes, list, environment.list);
    signals__after_exec();
    environment__release(&environment);
    if (error == 0 && pid != NULL)
        *pid = child;
    if (error == 0 && ours)
        unwatched__note_spawned(AT_FDCWD, path, child);
    if (ours) {
        event.other_tid = child;
        event.result = -error;
        submit__event(&event);
    }
    return error;
}

int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
                char *const list[], char *const environment[]) {
    if (!nsd_on)
        return NEXT(posix_spawn)(pid, path, actions, attributes, list, environment);
    return spawn(NEXT(posix_spawn), NSD_SITE(), pid, path, actions, attributes, list, environment);
}

int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes,
                 char *const list[], char *const environment[]) {
    if (!nsd_on)
        return NEXT(posix_spawnp)(pid, file, actions, attributes, list, environment);
    return spawn(NEXT(posix_spawnp), NSD_SITE(), pid, file, actions, attributes, list, environment);
}
