/*
 * Whether the caller is a thread of the watched process (caller.h). Three mechanisms:
 * - a page with MADV_WIPEONFORK holds 1; a caller that reads 0 runs in a fork child;
 * - while a clone with CLONE_VM|CLONE_VFORK is under way its thread is marked; the vfork child has
 *   its parent's memory and thread pointer, and so the marked key, but another tid;
 * - the tid is read where libc keeps it, after that word has been checked against gettid.
 * Reached from every wrapper and hook: no libc, no lock.
 */
#include "host/caller.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "host/environment.h"
#include "host/image.h"
#include "host_machine.h"
#include <linux/mman.h>
#include <stdatomic.h>
#include <stddef.h>

bool nsd_on;

/* In a page of its own: 1 here, 0 in a fork child (MADV_WIPEONFORK, Linux 4.14). */
static volatile uint32_t *not_forked;
static void (*on_copy)(void);

/*
 * Where the C libraries keep a thread's tid, in bytes above the thread pointer: struct pthread's
 * tid in glibc (since 2.4) and in musl (since 1.1.22). An offset is used only after the word there
 * was equal to gettid, and the first new threads are checked again.
 *
 * The three words below are relaxed: each is whole in itself, and a reader that sees an older value
 * only makes a system call that it could have saved.
 */
static const ptrdiff_t tid_offsets[] = NSD_TID_OFFSETS;
/* The offset that is right in this process; 0: not known yet. */
static _Atomic ptrdiff_t tid_offset;
static _Atomic bool tid_is_unreliable;
/* New threads whose word was right; from TRUST on their gettid is saved too. */
static _Atomic uint32_t agreeing_births;
#define TRUST 2u

/*
 * The threads that are inside a clone with CLONE_VM|CLONE_VFORK at this moment. An entry is claimed
 * by BEING_SET, and its key is written last: a handler that comes in between finds no mark of its
 * thread, or a whole one. The count grows after the key is there and is read before it
 * (sequentially consistent writes, acquire reads): the child must find its parent's mark.
 */
#define MARKS 64u
#define BEING_SET 1u
static struct mark {
    _Atomic uintptr_t key;  /* 0: free */
    _Atomic int32_t parent; /* tid; 0: the key alone tells. Ordered by the key. */
} marks[MARKS];
static _Atomic uint32_t mark_count;

static int32_t kept_tid(uintptr_t thread_pointer, ptrdiff_t offset) {
    return *(volatile int32_t *) (thread_pointer + (uintptr_t) offset);
}

static void learn_tid_offset(uintptr_t thread_pointer, int32_t tid) {
    if (!image__has_libc() || sys__is_forbidden())
        return;
    for (unsigned i = 0; i < sizeof tid_offsets / sizeof tid_offsets[0]; i++) {
        int32_t word;
        const char *at = (const char *) thread_pointer + tid_offsets[i];

        /* musl's block is smaller: the byte at 720 may not be mapped there. */
        if (memory__try_copy(&word, at, sizeof word) == sizeof word && word == tid) {
            atomic_store_explicit(&tid_offset, tid_offsets[i], memory_order_relaxed);
            return;
        }
    }
    caller__distrust_thread_pointer();
}

void caller__distrust_thread_pointer(void) {
    atomic_store_explicit(&tid_is_unreliable, true, memory_order_relaxed);
}

/* Where this thread's tid is kept; 0: not known, or there is no block of libc's. */
static inline ptrdiff_t offset_for(uintptr_t thread_pointer) {
    ptrdiff_t offset = atomic_load_explicit(&tid_offset, memory_order_relaxed);

    return offset != 0 && thread_pointer != 0 && host_machine__is_libc_block(thread_pointer, offset)
               ? offset
               : 0;
}

/* The same, as long as the tid there needs no check. */
static inline ptrdiff_t trusted_offset(uintptr_t thread_pointer) {
    return atomic_load_explicit(&tid_is_unreliable, memory_order_relaxed)
               ? 0
               : offset_for(thread_pointer);
}

bool caller__is_libc_thread(uintptr_t thread_pointer, int32_t tid) {
    ptrdiff_t offset = offset_for(thread_pointer);
    int32_t word;

    if (trusted_offset(thread_pointer) != 0)
        return true;
    return offset != 0 &&
           memory__try_copy(&word, (const char *) thread_pointer + offset, sizeof word) ==
               sizeof word &&
           word == tid;
}

int32_t caller__tid_at_birth(uintptr_t thread_pointer) {
    ptrdiff_t offset = trusted_offset(thread_pointer);
    int32_t tid;

    caller__clear_vfork(thread_pointer);
    if (offset != 0 && (sys__is_forbidden() ||
                        atomic_load_explicit(&agreeing_births, memory_order_relaxed) >= TRUST))
        return kept_tid(thread_pointer, offset);
    if (sys__is_forbidden())
        return 0;
    tid = sys__gettid();
    /* A filter of the host may answer with an error, which says nothing about the word. */
    if (tid <= 0)
        return offset != 0 ? kept_tid(thread_pointer, offset) : 0;
    if (offset != 0 && kept_tid(thread_pointer, offset) == tid)
        atomic_fetch_add_explicit(&agreeing_births, 1, memory_order_relaxed);
    else if (offset != 0)
        caller__distrust_thread_pointer();
    return tid;
}

/* Out of line, as is all that few events need: every event asks for its thread. */
static __attribute__((noinline)) int32_t ask_tid(uintptr_t thread_pointer) {
    int32_t tid;

    if (sys__is_forbidden())
        return 0;
    tid = sys__gettid();
    if (tid <= 0)
        return 0;
    /* A thread with a block of its own kind says nothing of libc's threads. */
    if (thread_pointer != 0 && atomic_load_explicit(&tid_offset, memory_order_relaxed) == 0 &&
        !atomic_load_explicit(&tid_is_unreliable, memory_order_relaxed))
        learn_tid_offset(thread_pointer, tid);
    return tid;
}

static inline int32_t find_tid(uintptr_t thread_pointer) {
    ptrdiff_t offset = trusted_offset(thread_pointer);

    return offset != 0 ? kept_tid(thread_pointer, offset) : ask_tid(thread_pointer);
}

bool caller__begin(void (*copy)(void)) {
    long page =
        sys__mmap(NULL, NSD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (SYS_IS_ERROR(page))
        return false;
    if (SYS_IS_ERROR(sys__madvise((void *) page, NSD_PAGE_SIZE, MADV_WIPEONFORK))) {
        sys__munmap((void *) page, NSD_PAGE_SIZE);
        return false;
    }
    not_forked = (volatile uint32_t *) page;
    *not_forked = 1;
    on_copy = copy;
    return true;
}

static __attribute__((noinline)) struct mark *find_mark(uintptr_t key) {
    for (unsigned i = 0; i < MARKS; i++) {
        if (atomic_load_explicit(&marks[i].key, memory_order_acquire) == key)
            return &marks[i];
    }
    return NULL;
}

static inline struct mark *mark_of(uintptr_t key) {
    /* A free entry has the key 0. */
    if (key == 0 || atomic_load_explicit(&mark_count, memory_order_acquire) == 0)
        return NULL;
    return find_mark(key);
}

/* The kernel is asked: the word where libc keeps the tid is the parent's for the child too. */
static __attribute__((noinline)) bool is_parent(struct mark *mark) {
    int32_t parent = atomic_load_explicit(&mark->parent, memory_order_relaxed);

    return parent != 0 && !sys__is_forbidden() && sys__gettid() == parent &&
           SYS0(__NR_getppid) != 0;
}

bool caller__is_vfork_child(uintptr_t key) {
    struct mark *mark = mark_of(key);

    return mark != NULL && !is_parent(mark);
}

enum nsd_mark caller__mark_vfork(uintptr_t key, int32_t parent) {
    struct mark *mark = mark_of(key);

    if (key == 0)
        return NSD_MARK_NONE;
    if (mark != NULL)
        return is_parent(mark) ? NSD_MARK_STOOD : NSD_MARK_NONE;
    for (mark = marks; mark < marks + MARKS; mark++) {
        uintptr_t empty = 0;

        if (!atomic_compare_exchange_strong(&mark->key, &empty, BEING_SET))
            continue;
        atomic_store_explicit(&mark->parent, parent, memory_order_relaxed);
        atomic_store(&mark->key, key);
        atomic_fetch_add(&mark_count, 1);
        return NSD_MARK_SET;
    }
    return NSD_MARK_NONE;
}

void caller__clear_vfork(uintptr_t key) {
    struct mark *mark = mark_of(key);

    if (mark == NULL || !atomic_compare_exchange_strong(&mark->key, &key, 0))
        return;
    atomic_fetch_sub(&mark_count, 1);
    environment__reclaim(key);
}

void caller__note_filter_of_child(uintptr_t key) {
    struct mark *mark = mark_of(key);

    if (mark != NULL && !is_parent(mark))
        atomic_store_explicit(&mark->parent, 0, memory_order_relaxed);
}

void caller__fork_child(void) {
    if (!nsd_on)
        return;
    /* The marked threads were not copied into this process. */
    for (unsigned i = 0; i < MARKS; i++)
        atomic_store(&marks[i].key, 0);
    atomic_store(&mark_count, 0);
    *not_forked = 1;
    /* libc's fork updates the word with the child's tid; a bare clone leaves the parent's tid. */
    if (image__has_libc() && !sys__is_forbidden()) {
        atomic_store(&agreeing_births, 0);
        caller__tid_at_birth(machine__thread_pointer());
    }
    on_copy();
}

bool caller__is_stranger(void) {
    return !sys__is_forbidden() && sys__getpid() != nsd_image.pid;
}

bool caller__is_ours(struct nsd_caller *caller, uintptr_t thread_pointer, int32_t known_tid) {
    if (!nsd_on)
        return false;
    if (*not_forked == 0)
        caller__fork_child();
    if (caller__is_vfork_child(thread_pointer))
        return false;
    caller->tid = known_tid != 0 ? known_tid : find_tid(thread_pointer);
    return caller->tid != 0;
}
