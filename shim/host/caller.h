/*
 * Who is calling: a thread of the watched process, its vfork child in our memory, a fork copy, or
 * a stranger. Every wrapper and hook asks this before it records anything. Safe everywhere.
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
 * True if the caller is a thread of this process whose events count. False for a vfork child and
 * for another process that shares our memory. A fork copy (seen by the wipe-on-fork page) first
 * gets an empty ledger of its own. `thread_pointer` is the caller's (0 in Go without cgo: then
 * `known_tid` is given, from m.procid, else pass 0).
 * An unknown thread of ours (raw clone) is announced to the ledger as THREAD_FOUND.
 */
bool caller__is_ours(struct nsd_caller *caller, uintptr_t thread_pointer, int32_t known_tid);

/*
 * A process of its own that shares our memory (clone with CLONE_VM and without CLONE_THREAD): what
 * it ends or execs is not this image. One system call: for the calls that end an image.
 */
bool caller__is_stranger(void);

/*
 * Before and after a clone with CLONE_VM|CLONE_VFORK (vfork, posix_spawn is the library's own
 * matter). Between them whoever arrives with this thread pointer (or, Go, this m) is the child.
 * Nested calls by the child do nothing. mark returns false when it is the child who asks.
 */
bool caller__mark_vfork(int32_t tid, uintptr_t key);
void caller__clear_vfork(int32_t tid, uintptr_t key);
bool caller__is_vfork_child(uintptr_t key);

/* In a fork child, as its first act (wrappers of fork and _Fork, raw clones): a fresh image. */
void caller__fork_child(void);

/*
 * At start: the page that tells a fork copy. False where the kernel has no such thing: then nothing
 * is watched, since a copy would write into records that it takes for its own. on_copy is called in
 * a fork copy, before anything of its own is recorded.
 */
bool caller__begin(void (*on_copy)(void));
/*
 * A thread's tid is read from where libc keeps it, not asked of the kernel, as long as every thread
 * has a thread pointer of libc's own. Of a thread that was just born (0: not to be had without a
 * call), which checks that it is so.
 */
int32_t caller__tid_at_birth(uintptr_t thread_pointer);
/* The thread was made by libc, whose functions may be called in it. */
bool caller__is_libc_thread(uintptr_t thread_pointer, int32_t tid);
/* A bare clone with CLONE_VM is about to run with another's thread pointer, or one of its make. */
void caller__distrust_thread_pointer(void);

#endif
