/*
 * Calls that start a process: fork and its sisters, clone, posix_spawn, system, popen. A copy is
 * given a fresh image before it does anything else. A vfork-like child runs in our memory: its
 * parent is marked by a key (thread pointer; Go: m) until it runs on, and a call with that key
 * comes from the child meanwhile (host/caller.h). Called on both sides of these calls.
 */
#include "calls/processes.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "host/unwatched.h"
#include "intake/copies.h"
#include <linux/sched.h>
#include <stddef.h>

/* The beginning of the kernel's struct clone_args. */
struct clone_arguments {
    uint64_t flags, pidfd, child, parent, exit_signal, stack, stack_size, tls;
};

/*
 * Flags, stack and tls of any of these calls; false: they cannot be read. `was_read`: the kernel
 * has just read the struct, so it is there.
 */
static bool read_arguments(enum nsd_row row, const uint64_t argument[6], bool was_read,
                           struct clone_arguments *read) {
    memory__fill(read, 0, sizeof *read);
    switch (row) {
    case NSD_ROW_clone:
        /* kernel/fork.c, SYSCALL_DEFINE5(clone): lower_32_bits. */
        read->flags = (uint32_t) argument[NSD_CLONE_FLAGS];
        read->stack = argument[NSD_CLONE_STACK];
        read->tls = argument[NSD_CLONE_TLS];
        return true;
    case NSD_ROW_clone3:
        if (argument[1] < sizeof *read)
            return false;
        if (was_read) {
            *read = *(const volatile struct clone_arguments *) argument[0];
            return true;
        }
        return memory__try_copy(read, (const void *) argument[0], sizeof *read) == sizeof *read;
    case NSD_ROW_vfork:
        read->flags = CLONE_VM | CLONE_VFORK;
        return true;
    default:
        return true;
    }
}

static bool is_like_vfork(uint64_t flags) {
    return (flags & (CLONE_VM | CLONE_VFORK)) == (CLONE_VM | CLONE_VFORK);
}

static enum nsd_row row_of(const struct nsd_ongoing *ongoing) {
    return (enum nsd_row) ongoing->meaning->row;
}

/* A child that runs in our memory beside its parent may have the parent's thread pointer. */
static void note_thread_pointer(uint64_t flags) {
    if ((flags & CLONE_VM) != 0 && (!is_like_vfork(flags) || (flags & CLONE_THREAD) != 0))
        caller__distrust_thread_pointer();
}

enum nsd_child processes__child_of(enum nsd_row row, const uint64_t argument[6]) {
    struct clone_arguments read;

    if (!read_arguments(row, argument, false, &read))
        read.flags = CLONE_VM;
    note_thread_pointer(read.flags);
    if ((read.flags & CLONE_VM) == 0)
        return read.stack == 0 ? NSD_CHILD_COPIED : NSD_CHILD_UNKNOWN;
    if (!is_like_vfork(read.flags) || (read.flags & CLONE_THREAD) != 0)
        return NSD_CHILD_UNKNOWN;
    return read.stack == 0 ? NSD_CHILD_SHARES : NSD_CHILD_APART;
}

void calls__before_fork(struct nsd_ongoing *ongoing) {
    bool has_thread_pointer = ongoing->entrance->may_call_libc;
    struct clone_arguments read;
    uintptr_t key = ongoing->key;
    enum nsd_mark mark;

    ongoing->kept.child.key = 0;
    /* Where they cannot be read the kernel will answer EFAULT. */
    read_arguments(row_of(ongoing), ongoing->argument, false, &read);
    if (has_thread_pointer)
        note_thread_pointer(read.flags);
    /* A thread that is made like this enters the ledger with its first event. */
    if ((read.flags & CLONE_THREAD) != 0)
        return;
    if (ongoing->entrance->keeps ? !calls__prepare_whole(ongoing) : !calls__is_ours(ongoing))
        return;
    ongoing->kept.child.flags = read.flags;
    /* A copy on a stack of its own does not return into what was interrupted here. */
    if (has_thread_pointer && ongoing->is_ours && (read.flags & CLONE_VM) == 0 && read.stack == 0)
        copies__before_fork(ongoing->tid, ongoing->key);
    if (!is_like_vfork(read.flags))
        return;
    if (has_thread_pointer && (read.flags & CLONE_SETTLS) != 0)
        key = (uintptr_t) read.tls;
    /* Go blocks all signals around its call (syscall/exec_linux.go, runtime_BeforeFork). */
    mark = caller__mark_vfork(key, has_thread_pointer && key == ongoing->key ? ongoing->tid : 0);
    ongoing->kept.child.stood = mark == NSD_MARK_STOOD;
    if (mark != NSD_MARK_NONE)
        ongoing->kept.child.key = key;
}

/* In the child. Its parent's mark is missing if the hook before the call found no stack. */
static void begin_child(struct nsd_ongoing *ongoing, uint64_t flags) {
    if ((flags & CLONE_VM) == 0)
        ongoing->entrance->began_as_copy(ongoing);
    else if (is_like_vfork(flags) && !caller__is_vfork_child(ongoing->key))
        caller__mark_vfork(ongoing->key, 0);
}

static void end_child(struct nsd_ongoing *ongoing) {
    uintptr_t key = ongoing->entrance->keeps ? ongoing->kept.child.key : ongoing->key;

    if (key == 0)
        return;
    if (!ongoing->entrance->keeps || !ongoing->kept.child.stood)
        caller__clear_vfork(key);
    if (ongoing->entrance->child_is_gone != NULL)
        ongoing->entrance->child_is_gone(ongoing);
    exec__reclaim(ongoing->key);
}

/*
 * Called twice: in the child with the result 0, and in the parent; not in a vfork-like child of an
 * entrance that keeps its frame. The mark is cleared before is_ours is asked, or the parent would
 * be taken for its own child.
 */
void calls__after_fork(struct nsd_ongoing *ongoing) {
    struct nsd_event *event = &ongoing->event;
    struct clone_arguments read;
    uint64_t flags;

    if (ongoing->entrance->keeps && ongoing->is_prepared) {
        flags = ongoing->kept.child.flags;
    } else {
        read_arguments(row_of(ongoing), ongoing->argument, ongoing->result >= 0, &read);
        flags = read.flags;
    }
    if (ongoing->result == 0) {
        begin_child(ongoing, flags);
        return;
    }
    if (ongoing->entrance->keeps && ongoing->is_ours)
        copies__after_fork(ongoing->tid);
    if (is_like_vfork(flags))
        end_child(ongoing);
    if ((flags & CLONE_THREAD) != 0 || !calls__has_event(ongoing))
        return;
    if (ongoing->meaning->event == NSD_CALL_CLONE || ongoing->meaning->event == NSD_CALL_CLONE3)
        event->arguments[0] = flags;
    event->other_tid = ongoing->result > 0 ? (int32_t) ongoing->result : 0;
    calls__hand_in(ongoing);
}

/* ---- processes that libc starts itself: until the exec only libc's code runs in the child ---- */

/* Arguments as posix_spawn's: pid, path, actions, attributes, list, environment. */
void calls__before_spawn(struct nsd_ongoing *ongoing) {
    struct nsd_next_image next;

    calls__prepare_whole(ongoing);
    environment__look(AT_FDCWD, (const char *) ongoing->argument[1], &next);
    /* Unmapped right after the call, in a vfork child too: the new program has its own copy. */
    environment__for_exec((char *const *) ongoing->argument[5], 0, &next,
                          &ongoing->kept.environment);
    ongoing->argument[5] = (uint64_t) ongoing->kept.environment.list;
}

/* The result is a negative error; the first argument points to the child's pid. */
void calls__after_spawn(struct nsd_ongoing *ongoing) {
    int32_t child = ongoing->result == 0 ? *(const int *) ongoing->argument[0] : 0;

    environment__release(&ongoing->kept.environment);
    if (!ongoing->is_prepared)
        return;
    if (ongoing->result == 0)
        unwatched__note_spawned((const char *) ongoing->argument[1],
                                &ongoing->kept.environment.next, child);
    ongoing->event.other_tid = child;
    calls__hand_in(ongoing);
}

/* system(NULL) only asks whether there is a shell. */
void calls__before_system(struct nsd_ongoing *ongoing) {
    if (ongoing->argument[0] != 0)
        calls__prepare_whole(ongoing);
}

void calls__after_system(struct nsd_ongoing *ongoing) {
    if (ongoing->argument[0] != 0)
        calls__record(ongoing);
}
