/*
 * The host room: what is asked of the process that we live in.
 *
 * In come questions: which thread calls, which namespace a descriptor or a thread leads to, what
 * the image is, what its next image must inherit, whether a program will be watched. Out go
 * answers, by raw system calls and by words of memory; none of them changes anything that the
 * program can see. Called by the intake, by the meanings of calls and by the entrances; the room
 * knows none of them. Where sys__is_forbidden() nothing here makes a system call.
 *
 * This file: whether the caller is a thread of the watched process, its vfork child in our memory,
 * a fork child, or another process that shares our memory. Every wrapper and hook asks before it
 * records anything. Safe in a signal handler, in a vfork child and on a Go stack.
 */
#ifndef NSD_HOST_CALLER_H
#define NSD_HOST_CALLER_H

#include <stdbool.h>
#include <stdint.h>

/* The shim is on in this image: one load, for the first line of every wrapper. */
extern bool nsd_on;

struct nsd_caller {
    int32_t tid;
};

/*
 * True if the caller is a thread of this process, whose events count. False for a vfork child and
 * for another process that shares our memory. A fork child (it reads 0 in the wipe-on-fork page)
 * first gets an empty ledger of its own. `thread_pointer` is the caller's, 0 in Go without cgo;
 * `known_tid` is m.procid there, and 0 elsewhere.
 */
bool caller__is_ours(struct nsd_caller *caller, uintptr_t thread_pointer, int32_t known_tid);

/*
 * The caller is another process that shares our memory (clone with CLONE_VM, without CLONE_THREAD):
 * its exit or exec does not end this image. One system call, so only calls that end an image ask.
 */
bool caller__is_stranger(void);

/*
 * caller__mark_vfork is called before a clone with CLONE_VM|CLONE_VFORK, whose child runs in our
 * memory, and caller__clear_vfork after it. Meanwhile a caller with this key (its thread pointer;
 * in Go its m) is the child, unless its tid is `parent`: a signal handler of the parent may run
 * just before the call begins and as it returns. The tid is not compared where `parent` is 0 (the
 * parent runs no handler meanwhile, or its child has a key of its own), under a filter, and where
 * the parent's own parent is outside its pid namespace: a child in a new one may then have the same
 * tid.
 *
 * A jump out of a handler leaves the mark for good. That is harmless: from then on the kernel is
 * asked for the parent's tid at each of its calls, and its next child is marked already.
 */
enum nsd_mark {
    NSD_MARK_NONE,  /* the caller is such a child itself, or there is no room */
    NSD_MARK_SET,   /* by this call, which clears it */
    NSD_MARK_STOOD, /* an outer call of the same thread has set it, and clears it */
};
enum nsd_mark caller__mark_vfork(uintptr_t key, int32_t parent);
void caller__clear_vfork(uintptr_t key);
bool caller__is_vfork_child(uintptr_t key);
/* The child with this key is about to install a filter: it is not asked for its tid any more. */
void caller__note_filter_of_child(uintptr_t key);

/* In a fork child, before anything else (wrappers of fork and _Fork, raw clones): a fresh image. */
void caller__fork_child(void);

/*
 * At start: maps the wipe-on-fork page. False where the kernel has none (before Linux 4.14): then
 * nothing is watched, because a fork child would write into its parent's records. `on_copy` is
 * called in each fork child before its first event.
 */
bool caller__begin(void (*on_copy)(void));
/*
 * Tid of a new thread; 0 if a filter forbids the system call for it. The first new threads also
 * check the word where libc keeps the tid against gettid. Clears the mark that an earlier thread
 * with this thread pointer left: no vfork child has the thread pointer of a new thread.
 */
int32_t caller__tid_at_birth(uintptr_t thread_pointer);
/* libc made the thread, so libc's functions may be called in it. */
bool caller__is_libc_thread(uintptr_t thread_pointer, int32_t tid);
/*
 * A bare clone with CLONE_VM is about to run with another thread's thread pointer or with one that
 * libc did not make: from now on every tid is asked of the kernel.
 */
void caller__distrust_thread_pointer(void);

#endif
