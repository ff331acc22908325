/*
 * Births and deaths of threads that libc makes: pthread_create and thrd_create with a start routine
 * of ours in between, the key whose destructor sees every way to die (return, pthread_exit,
 * thrd_exit, cancel, the main thread's pthread_exit), and the exits themselves for their stacks.
 * Nothing here waits; memory for threads on their way is a pool that does not grow.
 */
#include "probes/libc/threads.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "probes/libc/observe.h"
#include "probes/libc/pool.h"
#include "probes/libc/prototypes.h"
#include "probes/process/identity.h"

extern int pthread_key_create(unsigned *key, void (*destructor)(void *)) __attribute__((weak));
extern int pthread_setspecific(unsigned key, const void *value) __attribute__((weak));
extern void *pthread_getspecific(unsigned key) __attribute__((weak));

/*
 * What the key holds in a thread, as a number: how often the destructor ran, and how the thread
 * came to its end. Both libcs run destructors at most four times (PTHREAD_DESTRUCTOR_ITERATIONS),
 * round after round while one of them sets a value: ours sets it again until the last round, so
 * that what other destructors do is still seen as done by a living thread.
 */
#define ROUNDS 4u
#define ROUND 7u
#define EXITED 8u /* by pthread_exit, thrd_exit; a return and a cancellation look alike */

static unsigned key;
static _Atomic bool key_made;

static uintptr_t mark(void) {
    return atomic_load_explicit(&key_made, memory_order_acquire)
               ? (uintptr_t) pthread_getspecific(key)
               : 0;
}

static void set_mark(uintptr_t value) {
    if (atomic_load_explicit(&key_made, memory_order_acquire))
        pthread_setspecific(key, (const void *) value);
}

static void thread_ends(void *value) {
    uintptr_t state = (uintptr_t) value;
    struct nsd_event event;

    if (!nsd_on)
        return;
    if ((state & ROUND) < ROUNDS) {
        set_mark(state + 1);
        return;
    }
    if (!observe__begin(&event, NSD_CALL_THREAD_DIED, NULL))
        return;
    event.explicit_end = (state & EXITED) != 0;
    submit__event(&event);
}

/*
 * The kernel's thread id stands in libc's own thread structure, behind the thread pointer, at a
 * place that differs between libcs. It is found in the main thread and believed once two threads
 * that were born later had theirs there too; a system call saved in each birth.
 */
#define PAGE 4096u
#define PLACES 256u
#define TRUST 2u

static _Atomic uint32_t tid_place; /* in ints from the thread pointer; 0: not found */
static _Atomic uint32_t tid_trust;

static void find_tid_place(void) {
    int32_t words[PLACES], tid = sys__gettid();

    if (memory__try_copy(words, (const void *) machine__thread_pointer(), sizeof(words)) !=
        sizeof(words))
        return;
    for (uint32_t i = 1; i < PLACES; i++) {
        if (words[i] == tid) {
            atomic_store(&tid_place, i);
            return;
        }
    }
}

/* Of a thread that libc has just made, at its start. 0: not to be had without a call. */
static int32_t tid_at_birth(void) {
    uint32_t place = atomic_load_explicit(&tid_place, memory_order_relaxed);
    uint32_t trust = atomic_load_explicit(&tid_trust, memory_order_relaxed);
    int32_t tid, written = 0;

    if (place != 0)
        written = ((const int32_t *) machine__thread_pointer())[place];
    if (place != 0 && written > 0 && (trust >= TRUST || identity__is_quiet()))
        return written;
    if (identity__is_quiet())
        return 0;
    tid = sys__gettid();
    if (place != 0 && written == tid)
        atomic_fetch_add_explicit(&tid_trust, 1, memory_order_relaxed);
    else
        atomic_store_explicit(&tid_place, 0, memory_order_relaxed);
    return tid;
}

bool threads__begin(void) {
    if (pthread_key_create == NULL || pthread_setspecific == NULL || pthread_getspecific == NULL ||
        pthread_key_create(&key, thread_ends) != 0)
        return false;
    atomic_store_explicit(&key_made, true, memory_order_release);
    set_mark(1);
    find_tid_place();
    return true;
}

/*
 * Threads that were cloned by hand may have a thread pointer to anything, or their parent's: only
 * where their own tid stands behind it may libc's functions be trusted with it.
 */
static bool is_libc_thread(int32_t tid) {
    uintptr_t at, self = machine__thread_pointer();
    uint32_t place = atomic_load_explicit(&tid_place, memory_order_relaxed);
    int32_t written = 0;

    at = self + place * sizeof(int32_t);
    if (place == 0)
        return false;
    /* Its first word has just been read, so its page is there. */
    if ((self & (PAGE - 1)) + place * sizeof(int32_t) + sizeof(written) <= PAGE)
        written = *(const int32_t *) at;
    else if (memory__try_copy(&written, (const void *) at, sizeof(written)) != sizeof(written))
        return false;
    return written == tid;
}

void threads__adopt(int32_t tid) {
    if (is_libc_thread(tid) && mark() == 0)
        set_mark(1);
}

/* A thread on its way: filled by the parent, given back by the child before it does anything. */
struct birth {
    uint64_t pool_link;
    uintptr_t routine;
    void *argument;
    uint32_t token;
    int32_t parent;
};

#define BIRTHS 1024u
_Static_assert(sizeof(struct birth) % 16 == 0, "the pool keeps its blocks aligned");

static struct birth birth_memory[BIRTHS] __attribute__((aligned(16)));
static struct nsd_pool births = {
    .memory = birth_memory, .count = BIRTHS, .size = sizeof(struct birth)};

/* What the assembly goes on with: two words, in two registers. */
struct start {
    uintptr_t routine;
    void *argument;
};

/* The machine's start routine, and what it calls. */
void *threads__start(void *birth) __attribute__((visibility("hidden")));
struct start threads__born(struct birth *birth) __attribute__((visibility("hidden")));

struct start threads__born(struct birth *birth) {
    const struct start start = {birth->routine, birth->argument};
    struct nsd_event event;
    int32_t tid = tid_at_birth();

    submit__prepare(&event, NSD_CALL_THREAD_BORN, tid);
    event.token = birth->token;
    event.other_tid = birth->parent;
    pool__give(&births, birth);
    set_mark(1);
    if (tid != 0)
        submit__event(&event);
    else
        submit__count_lost();
    return start;
}

/*
 * Prepares a birth and hands in its first event, which keeps the start routine: it tells an M of Go
 * from a thread of a C library. NULL: the thread is made without us.
 */
static struct birth *announce(struct nsd_event *event, const struct nsd_site *site,
                              uintptr_t routine, void *argument) {
    struct birth *birth;

    if (!observe__begin(event, NSD_CALL_THREAD_CREATE, site))
        return NULL;
    birth = pool__take(&births);
    if (birth == NULL) {
        /* More threads than the pool has places are between birth and their first step. */
        submit__count_lost();
        return NULL;
    }
    event->arguments[0] = routine;
    birth->routine = routine;
    birth->argument = argument;
    birth->parent = event->tid;
    birth->token = event->token = submit__new_token();
    submit__event(event);
    return birth;
}

static void not_created(struct nsd_event *event, struct birth *birth, int error) {
    pool__give(&births, birth);
    event->call = NSD_CALL_THREAD_NOT_CREATED;
    event->result = -error;
    submit__event(event);
}

int pthread_create(unsigned long *thread, const void *attributes, void *(*routine)(void *),
                   void *argument) {
    struct nsd_event event;
    struct birth *birth;
    int error;

    if (!nsd_on || (birth = announce(&event, NSD_SITE(), (uintptr_t) routine, argument)) == NULL)
        return NEXT(pthread_create)(thread, attributes, routine, argument);
    error = NEXT(pthread_create)(thread, attributes, threads__start, birth);
    if (error != 0)
        not_created(&event, birth, error);
    return error;
}

int thrd_create(unsigned long *thread, int (*routine)(void *), void *argument) {
    struct nsd_event event;
    struct birth *birth;
    int error;

    if (!nsd_on || (birth = announce(&event, NSD_SITE(), (uintptr_t) routine, argument)) == NULL)
        return NEXT(thrd_create)(thread, routine, argument);
    error = NEXT(thrd_create)(thread, (int (*)(void *))(void *) threads__start, birth);
    if (error != 0)
        not_created(&event, birth, error);
    return error;
}

static void thread_exits(const struct nsd_site *site) {
    struct nsd_event event;

    if (!observe__begin(&event, NSD_CALL_THREAD_EXIT, site))
        return;
    set_mark((mark() | EXITED) + (mark() == 0));
    submit__event(&event);
}

void pthread_exit(void *value) {
    if (nsd_on)
        thread_exits(NSD_SITE());
    NEXT(pthread_exit)(value);
    __builtin_unreachable();
}

void thrd_exit(int value) {
    if (nsd_on)
        thread_exits(NSD_SITE());
    NEXT(thrd_exit)(value);
    __builtin_unreachable();
}
