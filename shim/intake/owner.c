/*
 * Owners that left the lock behind (owner.h). How each kind is recognised:
 *
 *     this thread, by a jump       its own frame lies where the owner's hold was, or above it on
 *                                  the same stack; or the hold is overwritten
 *     this thread, in a handler    its own frame lies below the hold: the owner has not left
 *     another thread that died     the kernel knows no thread of that tid, or a zombie
 *     another thread, by a jump    the hold is overwritten or unmapped; or the thread sleeps in a
 *                                  system call with its stack pointer above the hold
 *
 * An owner on another stack than the caller's (an alternate signal stack, a coroutine's) is only
 * believed to have left if its hold no longer stands. Another thread is asked about twice, with
 * a wait between, because a single refused system call must not take the lock from a live owner.
 */
#include "intake/owner.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "base/text.h"
#include "host/caller.h"
#include "host/image.h"
#include "intake/copies.h"
#include "intake/guarded.h"
#include "report/coverage.h"
#include "stacks/extent.h"
#include <linux/errno.h>

/* Before the first look at an owner, between two, and after the last. */
#define YIELDS_FIRST 16u
#define YIELDS_BETWEEN 4u
#define YIELDS_LAST 200u

/* ---- whether the hold still stands ---- */

enum standing { STANDS, GONE, UNKNOWN };

/*
 * By a copy that cannot fault. The caller's own hold is copied first: if even that cannot be read,
 * the system call was refused and the answer says nothing about the owner.
 */
static enum standing hold_stands(const struct nsd_hold *own, uintptr_t place, uint64_t word) {
    uint64_t copied[2];
    const struct nsd_memory_part to = {copied, sizeof copied};
    const struct nsd_memory_part from[] = {{&own->word, 8}, {(const void *) place, 8}};
    size_t size = memory__try_parts(&to, 1, from, 2);

    if (size < sizeof copied[0])
        return UNKNOWN;
    return size == sizeof copied && copied[1] == word ? STANDS : GONE;
}

/* ---- this thread ---- */

/* The kernel's stack_t, whose header contradicts libc's. */
struct alternate_stack {
    uintptr_t at;
    int flags;
    size_t size;
};
#define IS_ON_IT 1              /* SS_ONSTACK */
#define IS_DISABLED 2           /* SS_DISABLE */
#define IS_DISARMED 0x80000000u /* SS_AUTODISARM */

#define CHUNK_WORDS 64u
#define CHUNKS 32u

/*
 * With SS_AUTODISARM the kernel says in a handler that there is no alternate stack. Looks for the
 * one that the caller runs on in the signal frame above: address, flags and size as they were
 * (uc_stack; kernel/signal.c, __save_altstack). Leaves *alternate as it is if there is none.
 */
static void find_disarmed(uintptr_t here, struct alternate_stack *alternate) {
    uint64_t words[CHUNK_WORDS];

    for (unsigned i = 0; i < CHUNKS; i++) {
        /* Each chunk begins with the last two words of the one before. */
        const char *from = (const char *) here + i * (sizeof words - 2 * sizeof words[0]);
        size_t size = memory__try_copy(words, from, sizeof words);

        for (unsigned j = 0; j + 2 < size / sizeof words[0]; j++) {
            if ((uint32_t) words[j + 1] != IS_DISARMED || here - words[j] >= words[j + 2])
                continue;
            alternate->at = words[j];
            alternate->flags = IS_ON_IT;
            alternate->size = words[j + 2];
            return;
        }
        if (size < sizeof words)
            return;
    }
}

static bool on_one_stack(uintptr_t here, uintptr_t there) {
    struct nsd_extent ours, theirs;

    extent__of(here, machine__thread_pointer(), &ours);
    extent__of(there, machine__thread_pointer(), &theirs);
    return ours.known && theirs.known && ours.high == theirs.high;
}

static bool this_thread_left(const struct nsd_hold *own, uint64_t word) {
    uintptr_t here = (uintptr_t) own;
    uintptr_t there = lock__hold_of(&intake.lock, word, here);
    struct alternate_stack alternate;
    enum standing standing;
    bool is_on_it, was_on_it;

    /* Two variables that live do not share an address. */
    if (here == there)
        return true;
    if (sys__is_forbidden() || guarded__is_report_stack(here) ||
        SYS2(__NR_sigaltstack, NULL, &alternate) != 0)
        return false;
    standing = hold_stands(own, there, word);
    if (standing == UNKNOWN)
        return false;
    if ((alternate.flags & IS_DISABLED) != 0) {
        /* An ordinary handler, on the owner's stack. */
        if (standing == STANDS && here < there)
            return false;
        find_disarmed(here, &alternate);
    }
    is_on_it = (alternate.flags & IS_ON_IT) != 0;
    /* Interrupted as it took the lock: the whole address is a guess from another stack's. */
    if (is_on_it && !lock__knows_hold_of(&intake.lock, word))
        return false;
    if (standing == GONE)
        return true;
    was_on_it = there - alternate.at < alternate.size;
    /* A handler on the alternate stack ends before the thread is on its own stack again. */
    if (is_on_it != was_on_it)
        return was_on_it;
    return here > there && (is_on_it || on_one_stack(here, there));
}

/* ---- another thread ---- */

/* "/proc/self/task/TID/" and a name. */
static const char *path_of(char *path, size_t size, int32_t tid, const char *name) {
    struct nsd_text text;

    text__begin(&text, path, size);
    text__put(&text, "/proc/self/task/");
    text__signed(&text, tid);
    text__put(&text, name);
    return text__string(&text);
}

/*
 * The stack pointer of a thread that sleeps in a system call; 0: not known. /proc/TID/syscall ends
 * with stack pointer and program counter (fs/proc/base.c, proc_pid_syscall).
 */
static uintptr_t sleeping_at(int32_t tid) {
    char text[256], path[64];
    long fd =
        sys__openat(AT_FDCWD, path_of(path, sizeof path, tid, "/syscall"), O_RDONLY | O_CLOEXEC, 0);
    long size;
    unsigned words = 0;
    uint64_t value;

    if (SYS_IS_ERROR(fd))
        return 0;
    size = sys__read((int) fd, text, sizeof text);
    sys__close((int) fd);
    for (long end = size, at = size; at-- > 0;) {
        if (text[at] == '\n')
            end = at;
        if (text[at] != ' ')
            continue;
        if (++words == 2) {
            value = 0;
            for (long i = at + 3; i < end && text[i] != ' '; i++) {
                char c = text[i];

                value = value << 4 | (uint64_t) (c <= '9' ? c - '0' : c - 'a' + 10);
            }
            return (uintptr_t) value;
        }
    }
    return 0;
}

/* A process that ended and was not waited for has no namespaces any more (kernel/nsproxy.c). */
static bool is_zombie(int32_t tid, int32_t own_tid) {
    char path[64];
    struct sys_stat stat;
    struct nsd_text text;

    /* Names in this /proc must be our tids, or nothing follows from a missing one. */
    if (sys__stat(path_of(path, sizeof path, own_tid, "/ns/mnt"), &stat) != 0)
        return false;
    text__begin(&text, path, sizeof path);
    text__put(&text, "/proc/");
    text__signed(&text, tid);
    text__put(&text, "/ns/mnt");
    return sys__stat(text__string(&text), &stat) == -ENOENT;
}

/* As far as a host's frames reach; further away is another stack. */
#define FRAMES_REACH (512u << 10)

/*
 * Whether the thread sleeps in a handler that has interrupted the owner's frame: the kernel has
 * then saved a stack pointer at or below the hold, somewhere above. That happens with the handler
 * on an alternate stack that lies above the thread's own.
 */
static bool returns_below(uintptr_t asleep, uintptr_t hold) {
    uintptr_t words[CHUNK_WORDS];

    for (unsigned i = 0; i < CHUNKS; i++) {
        size_t size =
            memory__try_copy(words, (const void *) (asleep + i * sizeof words), sizeof words);

        for (unsigned j = 0; j < size / sizeof words[0]; j++) {
            if (words[j] <= hold && hold - words[j] < FRAMES_REACH)
                return true;
        }
        if (size < sizeof words)
            break;
    }
    return false;
}

static bool other_thread_left(const struct nsd_hold *own, int32_t own_tid, uint64_t word,
                              bool thoroughly) {
    int32_t tid = lock__owner_of(word);
    uintptr_t there = lock__hold_of(&intake.lock, word, 0);
    /* An owner that was preempted as it took the lock has not stored the whole address yet. */
    bool is_whole = lock__knows_hold_of(&intake.lock, word);
    uintptr_t asleep;

    /* By tid alone: the owner may be of another process that shares our memory. */
    if (SYS2(__NR_tkill, tid, 0) == -ESRCH)
        return true;
    if (is_whole && hold_stands(own, there, word) == GONE)
        return true;
    if (!thoroughly)
        return false;
    if (is_zombie(tid, own_tid))
        return true;
    asleep = is_whole ? sleeping_at(tid) : 0;
    return asleep > there && asleep - there < FRAMES_REACH && !guarded__is_report_stack(asleep) &&
           !returns_below(asleep, there);
}

/* ---- taking over ---- */

/*
 * What the owner was in the middle of decides. Idle, between two changes: the ledger is whole, and
 * the event that the owner had in hand is lost. Changing: the ledger is not read or changed again.
 */
static void inherit(void) {
    guarded__count_lost();
    coverage__missing("a call", "a thread left the shim in the middle of its work");
    nsd_image.is_incomplete = true;
    if (guarded__work() == NSD_WORK_CHANGING && !intake.is_damaged) {
        intake.is_damaged = true;
        coverage__missing("the end", "the records were left half-changed, so it was not judged");
        findings__mend(&intake.findings);
    }
    guarded__set_work(NSD_WORK_IDLE);
}

static bool take_over(uint64_t word, struct nsd_hold *hold, int32_t tid) {
    /* A fork copy that waited for the frame which has left: now it begins. */
    if (copies__settle())
        return lock__take(&intake.lock, hold, tid);
    if (!lock__take_over(&intake.lock, word, hold, tid))
        return false;
    inherit();
    return true;
}

static bool is_own(uint64_t word, int32_t tid) {
    return word != 0 && (lock__owner_of(word) == tid || copies__is_waiting());
}

/*
 * Two looks with a wait between. True: the lock is taken, from the owner or after its release. Not
 * by another process that shares our memory: in its pid namespace our tids may name nobody.
 */
static bool look_twice(struct nsd_hold *hold, int32_t tid, bool thoroughly) {
    uint64_t word = lock__word(&intake.lock);

    if (sys__is_forbidden() || word == 0 || is_own(word, tid) || caller__is_stranger() ||
        !other_thread_left(hold, tid, word, thoroughly))
        return false;
    if (lock__wait(&intake.lock, hold, tid, YIELDS_BETWEEN))
        return true;
    return word == lock__word(&intake.lock) && other_thread_left(hold, tid, word, thoroughly) &&
           take_over(word, hold, tid);
}

static bool wait_for_other(struct nsd_hold *hold, int32_t tid) {
    bool is_hopeless = lock__is_hopeless(&intake.lock);
    uint64_t word;

    if (lock__wait(&intake.lock, hold, tid, is_hopeless ? 0 : YIELDS_FIRST) ||
        look_twice(hold, tid, false) ||
        (!is_hopeless && lock__wait(&intake.lock, hold, tid, YIELDS_LAST))) {
        lock__waited_well(&intake.lock);
        return true;
    }
    word = lock__word(&intake.lock);
    if (is_hopeless)
        return false;
    if (look_twice(hold, tid, true))
        return true;
    if (word != 0)
        lock__waited_in_vain(&intake.lock, word, clock__ticks());
    return false;
}

bool owner__wait(struct nsd_hold *hold, int32_t tid) {
    uint64_t word = lock__word(&intake.lock);

    if (!is_own(word, tid))
        return wait_for_other(hold, tid);
    return this_thread_left(hold, word) && take_over(word, hold, tid);
}

bool owner__is_oneself(int32_t tid) {
    return is_own(lock__word(&intake.lock), tid);
}

bool owner__end(struct nsd_hold *hold, int32_t tid) {
    uint64_t word = lock__word(&intake.lock);

    return is_own(word, tid) && take_over(word, hold, tid);
}
