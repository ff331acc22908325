/*
 * Who is calling: see caller.h. A page that the kernel wipes on fork tells a copy; marks that stand
 * while a vfork-like clone is under way tell the child that runs in our memory. Reached from every
 * wrapper and hook.
 */
#include "probes/process/caller.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "probes/process/environment.h"
#include "probes/process/identity.h"
#include "probes/process/image.h"
#include <linux/mman.h>
#include <stdatomic.h>
#include <stddef.h>

bool nsd_on;

/* A word in a page of its own: 1 here, 0 in a fork copy (MADV_WIPEONFORK, Linux 4.14). */
static volatile uint32_t *original;

/*
 * Where the C library keeps a thread's tid, in bytes above the thread pointer: looked up once, for
 * the time when gettid may not be called any more.
 */
static ptrdiff_t tid_offset;

#define PAGE 4096u
#define DESCRIPTOR_MOST 2304 /* bytes of a thread's control block that are looked through */

/* Threads that are inside a clone with CLONE_VM|CLONE_VFORK at this moment, by key. */
#define MARKS 64u
static _Atomic uintptr_t marks[MARKS];
static _Atomic uint32_t mark_count;

static void find_tid_offset(uintptr_t thread_pointer, int32_t tid) {
    /* glibc 2.36: 720; musl 1.2: 48. Read as it is, so that no release is assumed. */
    for (ptrdiff_t offset = 16; offset < DESCRIPTOR_MOST; offset += 4) {
        int32_t word;

        if (memory__try_copy(&word, (void *) (thread_pointer + (uintptr_t) offset), sizeof word) !=
            sizeof word)
            return;
        if (word == tid) {
            tid_offset = offset;
            return;
        }
    }
}

void caller__prepare_quiet(void) {
    uintptr_t thread_pointer;

    if (!image__has_libc())
        return;
    thread_pointer = machine__thread_pointer();
    if (tid_offset == 0)
        find_tid_offset(thread_pointer, sys__gettid());
}

static int32_t tid_without_a_call(uintptr_t thread_pointer) {
    if (thread_pointer == 0 || tid_offset == 0)
        return 0;
    return *(volatile int32_t *) (thread_pointer + (uintptr_t) tid_offset);
}

bool caller__begin(void) {
    long page = sys__mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (SYS_IS_ERROR(page))
        return false;
    if (SYS_IS_ERROR(sys__madvise((void *) page, PAGE, MADV_WIPEONFORK))) {
        sys__munmap((void *) page, PAGE);
        return false;
    }
    original = (volatile uint32_t *) page;
    *original = 1;
    return true;
}

bool caller__is_vfork_child(uintptr_t key) {
    if (atomic_load_explicit(&mark_count, memory_order_acquire) == 0)
        return false;
    for (unsigned i = 0; i < MARKS; i++) {
        if (atomic_load_explicit(&marks[i], memory_order_acquire) == key)
            return true;
    }
    return false;
}

bool caller__mark_vfork(int32_t tid, uintptr_t key) {
    (void) tid;
    if (key == 0 || caller__is_vfork_child(key))
        return false;
    for (unsigned i = 0; i < MARKS; i++) {
        uintptr_t empty = 0;

        if (atomic_compare_exchange_strong(&marks[i], &empty, key)) {
            atomic_fetch_add(&mark_count, 1);
            return true;
        }
    }
    return false;
}

void caller__clear_vfork(int32_t tid, uintptr_t key) {
    (void) tid;
    for (unsigned i = 0; i < MARKS; i++) {
        uintptr_t expected = key;

        if (atomic_compare_exchange_strong(&marks[i], &expected, 0)) {
            atomic_fetch_sub(&mark_count, 1);
            environment__reclaim(key);
            return;
        }
    }
}

void caller__fork_child(void) {
    if (!nsd_on)
        return;
    /* Marks of threads that were not copied. */
    for (unsigned i = 0; i < MARKS; i++)
        atomic_store(&marks[i], 0);
    atomic_store(&mark_count, 0);
    *original = 1;
    image__begin_copy();
}

bool caller__is_stranger(void) {
    return !identity__is_quiet() && sys__getpid() != nsd_image.pid;
}

bool caller__is_ours(struct nsd_caller *caller, uintptr_t thread_pointer, int32_t known_tid) {
    if (!nsd_on)
        return false;
    if (*original == 0)
        caller__fork_child();
    if (thread_pointer != 0 && caller__is_vfork_child(thread_pointer))
        return false;
    if (known_tid != 0)
        caller->tid = known_tid;
    else if (identity__is_quiet())
        caller->tid = tid_without_a_call(thread_pointer);
    else
        caller->tid = sys__gettid();
    return caller->tid != 0;
}
